package kubernetes_test

import (
	"maps"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The manifests are what Kubernetes accepts, and fit each other and the API.
func TestManifests(t *testing.T) {
	t.Run("W6 as they are", func(t *testing.T) {
		c, err := decode(manifests(t))
		require.NoError(t, err)
		assert.Empty(t, c.problems(readProgram(t)))
		assert.Len(t, c.deployments, 1)
		assert.Len(t, c.statefulSets, 1)
		assert.Len(t, c.policies, 3)
		for _, s := range c.configMaps {
			if s.Name == "redis" {
				assert.Contains(t, s.Data["redis.conf"], "maxmemory-policy noeviction")
			}
		}
	})

	// Each mistake is found, so the test above can fail.
	for name, row := range map[string]struct{ old, new, problem string }{
		"a field that does not exist": {"maxReplicas", "maximumReplicas", `unknown field "spec.maximumReplicas"`},
		"a field in another case":     {"maxReplicas", "maxreplicas", `unknown field "spec.maxreplicas"`},
		"a field twice":               {"minReplicas: 3", "minReplicas: 3\n  minReplicas: 3", `key "minReplicas" already set`},
		"a field of the wrong kind":   {"minReplicas: 3", "minReplicas: three", "cannot unmarshal string"},
		"an old version":              {"autoscaling/v2", "autoscaling/v2beta2", "unexpected HorizontalPodAutoscaler"},
		"a name twice":                {"kind: PodDisruptionBudget\nmetadata:\n  name: orders-api", "kind: Service\nmetadata:\n  name: orders-api", "another Service/orders-api"},

		"another namespace":          {"kind: Namespace\nmetadata:\n  name: orders", "kind: Namespace\nmetadata:\n  name: order", `Namespace "orders", which does not exist`},
		"another account":            {"serviceAccountName: redis", "serviceAccountName: default", `ServiceAccount "default"`},
		"other labels":               {"template:\n    metadata:\n      labels: {app.kubernetes.io/name: orders-api}", "template:\n    metadata:\n      labels: {app.kubernetes.io/name: api}", "orders-api does not select its own pods"},
		"spread of others":           {"ScheduleAnyway\n          labelSelector:\n            matchLabels: {app.kubernetes.io/name: orders-api}", "ScheduleAnyway\n          labelSelector:\n            matchLabels: {app.kubernetes.io/name: api}", "spreads other pods"},
		"a constant that is none":    {"whenUnsatisfiable: ScheduleAnyway", "whenUnsatisfiable: ScheduleAnywhere", `whenUnsatisfiable "ScheduleAnywhere"`},
		"root":                       {"runAsNonRoot: true\n        runAsUser: 65532", "runAsUser: 65532", "orders-api may run as root"},
		"no seccomp":                 {"seccompProfile: {type: RuntimeDefault}", "seccompProfile: {type: Unconfined}", "no seccomp profile"},
		"a token":                    {"automountServiceAccountToken: false\n      enableServiceLinks", "enableServiceLinks", "mounts a token"},
		"privileges":                 {"allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true", "may gain privileges"},
		"a file system":              {"readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", "may write to its file system"},
		"capabilities":               {"drop: [ALL]", "drop: [NET_RAW]", "keeps capabilities"},
		"no request":                 {"requests: {cpu: 250m, memory: 128Mi}", "requests: {memory: 128Mi}", "orders-api requests no cpu"},
		"no limit":                   {"limits: {memory: 128Mi}", "limits: {}", "orders-api has no limit of memory"},
		"any version":                {"image: redis:7.2", "image: redis:latest", "the image redis:latest has no version"},
		"no volume":                  {"- {name: data, mountPath: /data}", "- {name: datas, mountPath: /data}", `mounts the volume "datas"`},
		"no such file":               {"configMap: {name: redis}", "configMap: {name: redis-conf}", `ConfigMap "redis-conf"`},
		"a variable that is missing": {"- name: REDIS_PASSWORD\n              valueFrom: {secretKeyRef: {name: orders-api, key: REDIS_PASSWORD}}\n            - name: REDIS_URL", "- name: REDIS_URL", "$(REDIS_PASSWORD) is not defined before it"},
		"no variable":                {"  ORIGIN: https://api.example.com\n", "", "the API reads ORIGIN, which is not set"},
		"a misspelt variable":        {"  MAX_LIFETIME: 1h", "  MAXLIFETIME: 1h", "nothing reads MAXLIFETIME"},
		"no environment":             {"configMapRef: {name: orders-api}", "configMapRef: {name: api}", `ConfigMap "api"`},
		"a path that does not exist": {"path: /startupz", "path: /startup", "probes /startup, which the API does not serve"},
		"readiness for liveness":     {"path: /livez", "path: /readyz", "probes /readyz, not /livez"},
		"a probe on the clients' port": {"path: /readyz, port: internal", "path: /readyz, port: http",
			"probes the port http"},
		"no pause":                {"            preStop: # until no load balancer sends here any more\n              sleep: {seconds: 5}", "            postStart:\n              sleep: {seconds: 5}", "ends while it still gets requests"},
		"two replicas":            {"minReplicas: 3", "minReplicas: 2", "orders-api has 2 replicas"},
		"two masters of replicas": {"spec:\n  # The Hor", "spec:\n  replicas: 3\n  # The Hor", "replicas is the autoscaler's"},
		"scaling of another":      {"kind: Deployment, name: orders-api", "kind: Deployment, name: api", "orders-api has 0 replicas"},
		"a budget without room":   {"minAvailable: 2", "minAvailable: 3", "minAvailable 3"},
		"a budget of others":      {"minAvailable: 2\n  selector:\n    matchLabels: {app.kubernetes.io/name: orders-api}", "minAvailable: 2\n  selector:\n    matchLabels: {app.kubernetes.io/name: api}", "selects no pods of orders-api"},
		"a service of nobody":     {"  selector: {app.kubernetes.io/name: orders-api}", "  selector: {app: orders-api}", "the service orders-api selects no pods"},
		"a port that is missing":  {"targetPort: redis", "targetPort: tcp", "the service redis leads to no port tcp"},
		"the internal port":       {"targetPort: http", "targetPort: internal", "leads to the internal port"},
		"no service of the set":   {"serviceName: redis", "serviceName: redis-headless", `Service "redis-headless"`},
		"one direction":           {"policyTypes: [Ingress, Egress]\n  ingress: # the node", "policyTypes: [Ingress]\n  ingress: # the node", "the policy orders-api is not for both directions"},
		"nothing denied":          {"podSelector: {} # every pod", "podSelector: {matchLabels: {a: b}}", "no policy denies"},
		"no policy":               {"spec:\n  podSelector:\n    matchLabels: {app.kubernetes.io/name: redis}", "spec:\n  podSelector:\n    matchLabels: {app.kubernetes.io/name: valkey}", "redis has 0 policies"},
		"open to anybody":         {"    - from: # clients come through the gateway\n        - namespaceSelector:\n            matchLabels: {kubernetes.io/metadata.name: gateway}\n      ports:", "    - ports:", "lets anybody in"},
		"open to clients":         {"matchLabels: {kubernetes.io/metadata.name: monitoring}", "matchLabels: {kubernetes.io/metadata.name: gateway}", "opens the internal port"},
		"a port of no pod":        {"{protocol: TCP, port: internal}", "{protocol: TCP, port: probes}", "names the port probes"},
		"out to anybody":          {"    - to: # the issuer's addresses: a policy cannot name a host\n        - ipBlock: {cidr: 192.0.2.0/24}\n      ports:", "    - ports:", "lets out to anybody"},
		"Redis without a way in":  {"        - podSelector:\n            matchLabels: {app.kubernetes.io/name: orders-api}", "        - podSelector:\n            matchLabels: {app.kubernetes.io/name: redis}", "do not let it in"},
	} {
		t.Run("W6 "+name, func(t *testing.T) {
			files := changed(t, row.old, row.new)
			c, err := decode(files)
			found := ""
			if err != nil {
				found = err.Error()
			} else {
				found = strings.Join(c.problems(readProgram(t)), "\n")
			}
			assert.Contains(t, found, row.problem)
		})
	}
}

// changed returns the manifests after a change to all places with the text old.
func changed(t *testing.T, old, replacement string) map[string]string {
	t.Helper()
	files := manifests(t)
	before := maps.Clone(files)
	for name, text := range files {
		files[name] = strings.ReplaceAll(text, old, replacement)
	}
	require.NotEqual(t, before, files, "no manifest has this text")
	return files
}

// The commands at the head of the first file make the secrets that pods read.
func TestSecrets(t *testing.T) {
	files := manifests(t)
	c, err := decode(files)
	require.NoError(t, err)
	made := regexp.MustCompile(`create secret generic ([\w-]+)((?: \\\n# +--from-literal=\w+="[^"]+")+)`).FindStringSubmatch(files["1-namespace.yaml"])
	require.NotNil(t, made)
	read := 0
	for _, w := range c.workloads() {
		for _, e := range w.pod.Spec.Containers[0].Env {
			if e.ValueFrom != nil && e.ValueFrom.SecretKeyRef != nil {
				read++
				assert.Equal(t, made[1], e.ValueFrom.SecretKeyRef.Name, "W6 the secret of %s", w.name)
				assert.Contains(t, made[2], "--from-literal="+e.ValueFrom.SecretKeyRef.Key+"=", "W6 the secret of %s", w.name)
			}
		}
	}
	assert.Equal(t, 3, read)
	for name := range files {
		if name != "1-namespace.yaml" {
			assert.Contains(t, files["1-namespace.yaml"], "-f "+name)
		}
	}
}
