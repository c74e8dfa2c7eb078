package kubernetes_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// problems returns what does not fit together.
func (c *cluster) problems(api program) []string {
	p := &problems{cluster: c}
	for _, w := range c.workloads() {
		p.workload(w)
	}
	for _, d := range c.deployments {
		p.environment(d.Name, d.Spec.Template.Spec.Containers[0], api.variables)
		p.probes(d.Name, d.Spec.Template.Spec.Containers[0], api.paths)
		p.scaling(d.Name)
	}
	p.services()
	p.networks()
	return p.found
}

type problems struct {
	*cluster
	found []string
}

// must records a problem unless ok.
func (p *problems) must(ok bool, format string, args ...any) {
	if !ok {
		p.found = append(p.found, fmt.Sprintf(format, args...))
	}
}

func (p *problems) exists(who, kind, name string) {
	p.must(p.names[kind+"/"+name], "%s refers to %s %q, which does not exist", who, kind, name)
}

func selects(s *meta.LabelSelector, pod core.PodTemplateSpec) bool {
	selector, err := meta.LabelSelectorAsSelector(s)
	return err == nil && selector.Matches(labels.Set(pod.Labels))
}

// workload checks what holds for every pod: it has no more rights than it needs, and
// names what exists.
func (p *problems) workload(w workload) {
	spec := w.pod.Spec
	p.exists(w.name, "Namespace", w.namespace)
	p.exists(w.name, "ServiceAccount", spec.ServiceAccountName)
	p.must(selects(w.selector, w.pod), "%s does not select its own pods", w.name)
	for _, s := range spec.TopologySpreadConstraints {
		p.must(selects(s.LabelSelector, w.pod), "%s spreads other pods than its own", w.name)
		p.must(s.WhenUnsatisfiable == core.ScheduleAnyway, "%s: whenUnsatisfiable %q", w.name, s.WhenUnsatisfiable)
	}
	p.must(spec.AutomountServiceAccountToken != nil && !*spec.AutomountServiceAccountToken, "%s mounts a token", w.name)
	security := spec.SecurityContext
	p.must(security != nil && security.RunAsNonRoot != nil && *security.RunAsNonRoot, "%s may run as root", w.name)
	p.must(security != nil && security.SeccompProfile != nil && security.SeccompProfile.Type == core.SeccompProfileTypeRuntimeDefault, "%s has no seccomp profile", w.name)
	volumes := make(map[string]bool)
	for _, v := range spec.Volumes {
		volumes[v.Name] = true
		if v.ConfigMap != nil {
			p.exists(w.name, "ConfigMap", v.ConfigMap.Name)
		}
	}
	for _, s := range p.statefulSets {
		for _, claim := range s.Spec.VolumeClaimTemplates {
			volumes[claim.Name] = true
		}
	}
	for _, c := range spec.Containers {
		own := c.SecurityContext
		p.must(own != nil && own.AllowPrivilegeEscalation != nil && !*own.AllowPrivilegeEscalation, "%s may gain privileges", w.name)
		p.must(own != nil && own.ReadOnlyRootFilesystem != nil && *own.ReadOnlyRootFilesystem, "%s may write to its file system", w.name)
		p.must(own != nil && own.Capabilities != nil && slices.Equal(own.Capabilities.Drop, []core.Capability{"ALL"}), "%s keeps capabilities", w.name)
		for _, r := range []core.ResourceName{core.ResourceCPU, core.ResourceMemory} {
			amount := c.Resources.Requests[r]
			p.must(!amount.IsZero(), "%s requests no %s", w.name, r)
		}
		p.must(!c.Resources.Limits.Memory().IsZero(), "%s has no limit of memory", w.name)
		p.must(regexp.MustCompile(`:[0-9][^:/]*$`).MatchString(c.Image), "%s: the image %s has no version", w.name, c.Image)
		for _, m := range c.VolumeMounts {
			p.must(volumes[m.Name], "%s mounts the volume %q, which does not exist", w.name, m.Name)
		}
		p.variables(w.name, c)
	}
}

// variables checks that $(NAME) in a value or an argument names a variable before it.
func (p *problems) variables(who string, c core.Container) {
	defined := make(map[string]bool)
	check := func(text string) {
		for _, name := range regexp.MustCompile(`\$\((\w+)\)`).FindAllStringSubmatch(text, -1) {
			p.must(defined[name[1]], "%s: $(%s) is not defined before it", who, name[1])
		}
	}
	for _, e := range c.Env {
		check(e.Value)
		defined[e.Name] = true
	}
	for _, text := range slices.Concat(c.Command, c.Args) {
		check(text)
	}
}

// environment checks that the container has every variable that the API reads, and no
// other but those of which its values are made.
func (p *problems) environment(who string, c core.Container, reads map[string]bool) {
	given := make(map[string]bool)
	for _, from := range c.EnvFrom {
		p.must(from.ConfigMapRef != nil, "%s: envFrom what is no ConfigMap", who)
		p.exists(who, "ConfigMap", from.ConfigMapRef.Name)
		for _, m := range p.configMaps {
			if m.Name == from.ConfigMapRef.Name {
				for name := range m.Data {
					given[name] = true
				}
			}
		}
	}
	values := ""
	for _, e := range c.Env {
		given[e.Name] = true
		values += e.Value
	}
	for name := range reads {
		p.must(given[name], "%s: the API reads %s, which is not set", who, name)
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		p.must(reads[name] || strings.Contains(values, "$("+name+")"), "%s: nothing reads %s", who, name)
	}
}

// probes checks that each is at a path that the API has, and that the pod is given the
// time to end.
func (p *problems) probes(who string, c core.Container, paths map[string]bool) {
	for probe, want := range map[*core.Probe]string{
		c.StartupProbe: "/startupz", c.ReadinessProbe: "/readyz", c.LivenessProbe: "/livez",
	} {
		if probe == nil || probe.HTTPGet == nil {
			p.must(false, "%s has no probe of %s", who, want)
			continue
		}
		p.must(probe.HTTPGet.Path == want, "%s probes %s, not %s", who, probe.HTTPGet.Path, want)
		p.must(paths[probe.HTTPGet.Path], "%s probes %s, which the API does not serve", who, probe.HTTPGet.Path)
		p.must(probe.HTTPGet.Port.StrVal == "internal" && hasPort(c, probe.HTTPGet.Port), "%s probes the port %s", who, &probe.HTTPGet.Port)
	}
	p.must(c.Lifecycle != nil && c.Lifecycle.PreStop != nil && c.Lifecycle.PreStop.Sleep != nil, "%s ends while it still gets requests", who)
}

func hasPort(c core.Container, port intstr.IntOrString) bool {
	return slices.ContainsFunc(c.Ports, func(have core.ContainerPort) bool {
		return port.Type == intstr.String && have.Name == port.StrVal || port.Type == intstr.Int && have.ContainerPort == port.IntVal
	})
}

// scaling checks the autoscaler and the disruption budget of a Deployment.
func (p *problems) scaling(name string) {
	replicas := int32(0)
	for _, a := range p.autoscalers {
		if to := a.Spec.ScaleTargetRef; to.Kind == "Deployment" && to.Name == name && to.APIVersion == "apps/v1" {
			replicas = *a.Spec.MinReplicas
		}
	}
	p.must(replicas >= 3, "%s has %d replicas", name, replicas)
	for _, d := range p.deployments {
		p.must(d.Spec.Replicas == nil, "%s: replicas is the autoscaler's", d.Name)
		for _, b := range p.budgets {
			p.must(selects(b.Spec.Selector, d.Spec.Template), "the budget %s selects no pods of %s", b.Name, d.Name)
			p.must(b.Spec.MinAvailable.IntVal > 0 && b.Spec.MinAvailable.IntVal < replicas, "the budget %s: minAvailable %s", b.Name, b.Spec.MinAvailable)
		}
	}
	p.must(len(p.budgets) == 1, "%d budgets", len(p.budgets))
}

// services checks that each leads to a port of a pod, and none to the internal one.
func (p *problems) services() {
	for _, s := range p.cluster.services {
		found := false
		for _, w := range p.workloads() {
			if !selects(&meta.LabelSelector{MatchLabels: s.Spec.Selector}, w.pod) {
				continue
			}
			found = true
			for _, port := range s.Spec.Ports {
				p.must(hasPort(w.pod.Spec.Containers[0], port.TargetPort), "the service %s leads to no port %s", s.Name, &port.TargetPort)
				p.must(port.TargetPort.StrVal != "internal", "the service %s leads to the internal port", s.Name)
			}
		}
		p.must(found, "the service %s selects no pods", s.Name)
	}
	for _, s := range p.statefulSets {
		p.exists(s.Name, "Service", s.Spec.ServiceName)
	}
}

// networks checks that each workload has a policy for both directions, that the ports
// named there exist, that the internal port is for monitoring, and that what reaches
// another workload is let in there.
func (p *problems) networks() {
	denied := false
	for _, n := range p.policies {
		p.must(slices.Equal(n.Spec.PolicyTypes, []networking.PolicyType{networking.PolicyTypeIngress, networking.PolicyTypeEgress}), "the policy %s is not for both directions", n.Name)
		all := len(n.Spec.PodSelector.MatchLabels) == 0
		denied = denied || all && len(n.Spec.Ingress)+len(n.Spec.Egress) == 0
		p.must(!all || len(n.Spec.Ingress)+len(n.Spec.Egress) == 0, "the policy %s lets every pod do something", n.Name)
	}
	p.must(denied, "no policy denies what is not allowed")
	for _, w := range p.workloads() {
		own := 0
		for _, n := range p.policies {
			if len(n.Spec.PodSelector.MatchLabels) > 0 && selects(&n.Spec.PodSelector, w.pod) {
				own++
				p.network(n, w)
			}
		}
		p.must(own == 1, "%s has %d policies of its own", w.name, own)
	}
}

func (p *problems) network(n *networking.NetworkPolicy, w workload) {
	for _, rule := range n.Spec.Ingress {
		p.must(len(rule.From) > 0 && len(rule.Ports) > 0, "the policy %s lets anybody in", n.Name)
		for _, port := range rule.Ports {
			p.must(hasPort(w.pod.Spec.Containers[0], *port.Port), "the policy %s names the port %s", n.Name, port.Port)
			for _, from := range rule.From {
				if port.Port.StrVal == "internal" {
					p.must(from.NamespaceSelector != nil && from.NamespaceSelector.MatchLabels[core.LabelMetadataName] == "monitoring", "the policy %s opens the internal port", n.Name)
				}
				if from.PodSelector != nil {
					p.must(slices.ContainsFunc(p.workloads(), func(other workload) bool { return selects(from.PodSelector, other.pod) }), "the policy %s lets nobody in", n.Name)
				}
			}
		}
	}
	for _, rule := range n.Spec.Egress {
		p.must(len(rule.To) > 0 && len(rule.Ports) > 0, "the policy %s lets out to anybody", n.Name)
		for _, to := range rule.To {
			if to.PodSelector == nil || to.NamespaceSelector != nil {
				continue
			}
			reached := false
			for _, other := range p.workloads() {
				if selects(to.PodSelector, other.pod) {
					reached = hasPort(other.pod.Spec.Containers[0], *rule.Ports[0].Port) && p.lets(other, w)
				}
			}
			p.must(reached, "the policy %s lets out to pods that do not exist or do not let it in", n.Name)
		}
	}
}

// lets reports whether a policy of to lets from in.
func (p *problems) lets(to, from workload) bool {
	for _, n := range p.policies {
		for _, rule := range n.Spec.Ingress {
			for _, peer := range rule.From {
				if selects(&n.Spec.PodSelector, to.pod) && peer.PodSelector != nil && selects(peer.PodSelector, from.pod) {
					return true
				}
			}
		}
	}
	return false
}
