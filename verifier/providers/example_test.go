package providers_test

import (
	"fmt"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/providers"
)

func Example() {
	v, err := verifier.New(
		providers.Auth0("tenant.eu.auth0.com", "https://api.example.com"),
		providers.GitHubActions("https://api.example.com", providers.RepositoryOwnerID("1234")),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer v.Close()
	fmt.Println(v)
	// Output: Verifier(issuers=["https://tenant.eu.auth0.com/" "https://token.actions.githubusercontent.com"])
}

func ExampleAuth0_wrongArgument() {
	_, err := verifier.New(providers.Auth0("https://tenant.eu.auth0.com/", "https://api.example.com"))
	fmt.Println(err)
	// Output: verifier: providers.Auth0: the domain is a host such as tenant.eu.auth0.com, not "https://tenant.eu.auth0.com/"
}
