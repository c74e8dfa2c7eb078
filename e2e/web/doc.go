// Package web runs the programs of examples where they meet programs that others wrote:
// forwardauth behind nginx, which must be in PATH (.ci/nginx gets it on Debian and Ubuntu).
package web
