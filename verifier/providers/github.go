package providers

import (
	"context"
	"fmt"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// A GitHubIdentity says whose workflows may call: see [RepositoryOwnerID] and
// [RepositoryID].
type GitHubIdentity struct{ owner, repository string }

// RepositoryOwnerID stands for all repositories of an organization or user, by its
// numeric id: that of https://api.github.com/users/{name}. A name can pass to
// somebody else, an owner's id cannot.
func RepositoryOwnerID(id string) GitHubIdentity { return GitHubIdentity{owner: id} }

// RepositoryID stands for one repository, by its numeric id: that of
// https://api.github.com/repos/{owner}/{name}. It keeps the id when it is renamed, and
// when it is transferred to somebody else: add a Claim rule on repository_owner_id.
func RepositoryID(id string) GitHubIdentity { return GitHubIdentity{repository: id} }

func (i GitHubIdentity) check() error {
	id := i.owner + i.repository // one of them is empty
	return matching(digits, "id of an owner or a repository", "a number, as GitHub's API has it", id)
}

// GitHubActions is for the ID tokens of workflows, which ask for them with
// core.getIDToken(audience). Use an audience of your own. The client id is the
// repository's id.
//
// Every repository in the world can have a token for any audience, so who may call
// is compulsory. To narrow it further, put rules into Rules: Claim("ref",
// "refs/heads/main"), Claim("environment", "production") or
// Claim("job_workflow_ref", …). Do not compare sub, whose form is the
// repository's choice and changed on 15 July 2026.
//
// The issuer is that of github.com. Change Issuer for an enterprise that has its
// own (https://token.actions.githubusercontent.com/{enterprise}), for data
// residency (https://token.actions.{subdomain}.ghe.com) or for a GitHub Enterprise
// Server (https://{host}/_services/token). Ids are numbered by each of them anew.
func GitHubActions(audience string, who GitHubIdentity, more ...GitHubIdentity) verifier.Config {
	all := append([]GitHubIdentity{who}, more...)
	errs := []error{filled("audience", "that which the workflow asks for", audience)}
	for _, i := range all {
		errs = append(errs, i.check())
	}
	return checked("GitHubActions", admitting(verifier.Config{
		Issuer:    "https://token.actions.githubusercontent.com",
		Audiences: []string{audience},
		Types:     []string{"JWT"},
		Claims:    verifier.Claims{ClientID: []string{"repository_id"}},
	}, verifier.Check(func(_ context.Context, t *verifier.Token) error {
		owner, repository := claim(t, "repository_owner_id"), claim(t, "repository_id")
		for _, i := range all {
			if i.owner != "" && i.owner == owner || i.repository != "" && i.repository == repository {
				return nil
			}
		}
		return fmt.Errorf("repository_id is %.40q and repository_owner_id is %.40q (%.100q): neither is on the list", repository, owner, claim(t, "repository"))
	})), errs...)
}
