package providers

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// A KubernetesIdentity says which service accounts may call: see
// [KubernetesAccount] and [KubernetesNamespace].
type KubernetesIdentity struct {
	namespace, account string
	all                bool // of the namespace
}

// KubernetesAccount stands for one service account of a namespace.
func KubernetesAccount(namespace, account string) KubernetesIdentity {
	return KubernetesIdentity{namespace: namespace, account: account}
}

// KubernetesNamespace stands for every service account of a namespace.
func KubernetesNamespace(namespace string) KubernetesIdentity {
	return KubernetesIdentity{namespace: namespace, all: true}
}

func (i KubernetesIdentity) check() error {
	if err := matching(kubernetesName, "namespace", "the name of one in the cluster", i.namespace); err != nil || i.all {
		return err
	}
	return matching(kubernetesName, "service account", "the name of one in the namespace", i.account)
}

func (i KubernetesIdentity) admits(subject string) bool {
	prefix := "system:serviceaccount:" + i.namespace + ":"
	name, found := strings.CutPrefix(subject, prefix)
	return found && (i.all || name == i.account)
}

var kubernetesName = regexp.MustCompile(`^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$`)

// KubernetesServiceAccount is for the projected tokens of a cluster's service
// accounts. The issuer is the cluster's, byte for byte as in
// kubectl get --raw /.well-known/openid-configuration; some end with a slash. The
// audience is the one of the projected volume; it must be your own. The client id is
// sub, system:serviceaccount:{namespace}:{name}.
//
// Where the issuer's address can only be reached inside the cluster, set JWKS to
// [InCluster]. A token stays good until it expires, also after its pod was deleted.
func KubernetesServiceAccount(issuer, audience string, who KubernetesIdentity, more ...KubernetesIdentity) verifier.Config {
	all := append([]KubernetesIdentity{who}, more...)
	errs := []error{
		issuerURL("issuer", "https://oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLE", issuer),
		filled("audience", "that of the projected volume", audience),
	}
	if audience == issuer || strings.HasPrefix(audience, "https://kubernetes.default.svc") {
		errs = append(errs, notA("audience", "your own: this one is the API server's, which every pod's token has", audience))
	}
	for _, i := range all {
		errs = append(errs, i.check())
	}
	return checked("KubernetesServiceAccount", admitting(verifier.Config{
		Issuer:    issuer,
		Audiences: []string{audience},
		Claims:    verifier.Claims{ClientID: []string{"sub"}},
	}, verifier.Check(func(_ context.Context, t *verifier.Token) error {
		if slices.ContainsFunc(all, func(i KubernetesIdentity) bool { return i.admits(t.Subject()) }) {
			return nil
		}
		return fmt.Errorf("sub is %.200q, which is none of the service accounts on the list", t.Subject())
	})), errs...)
}
