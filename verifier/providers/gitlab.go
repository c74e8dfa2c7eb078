package providers

import (
	"context"
	"fmt"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// A GitLabIdentity says whose jobs may call: see [GitLabProjectID] and
// [GitLabNamespaceID].
type GitLabIdentity struct{ project, namespace string }

// GitLabProjectID stands for one project, by its numeric id.
func GitLabProjectID(id string) GitLabIdentity { return GitLabIdentity{project: id} }

// GitLabNamespaceID stands for the projects right in a group or of a user, by the
// numeric id of that namespace. A subgroup has an id of its own.
func GitLabNamespaceID(id string) GitLabIdentity { return GitLabIdentity{namespace: id} }

func (i GitLabIdentity) check() error {
	id := i.project + i.namespace // one of them is empty
	return matching(digits, "id of a project or a namespace", "a number, as its page in GitLab has it", id)
}

// GitLabCI is for the ID tokens of CI/CD jobs (id_tokens in .gitlab-ci.yml). The
// issuer is the instance's URL, such as https://gitlab.com; the audience is the
// job's aud. The client id is the project's id.
//
// Every project of the instance can have a token for any audience, so who may call
// is compulsory; it also keeps out the people who log in with GitLab, whose tokens
// have the same issuer. Whoever can push to such a project can call: put
// Claim("ref_protected", "true") into Rules where that is too many. A pipeline for
// a merge request from a fork has the fork's project_id since GitLab 18.2.2, and
// had the target's before.
func GitLabCI(issuer, audience string, who GitLabIdentity, more ...GitLabIdentity) verifier.Config {
	all := append([]GitLabIdentity{who}, more...)
	errs := []error{
		unslashedURL("issuer", "https://gitlab.com", issuer),
		filled("audience", "the job's aud", audience),
	}
	for _, i := range all {
		errs = append(errs, i.check())
	}
	return checked("GitLabCI", admitting(verifier.Config{
		Issuer:    issuer,
		Audiences: []string{audience},
		Claims:    verifier.Claims{ClientID: []string{"project_id"}},
	}, verifier.Check(func(_ context.Context, t *verifier.Token) error {
		project, namespace := claim(t, "project_id"), claim(t, "namespace_id")
		for _, i := range all {
			if i.project != "" && i.project == project || i.namespace != "" && i.namespace == namespace {
				return nil
			}
		}
		return fmt.Errorf("project_id is %.40q and namespace_id is %.40q (%.100q): neither is on the list", project, namespace, claim(t, "project_path"))
	})), errs...)
}
