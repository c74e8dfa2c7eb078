// Package migrate compiles and runs what docs/migrate.md shows: each route as it
// was before, and as it is behind jwtguard.
package migrate
