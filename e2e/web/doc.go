// Package web runs the programs of examples where they meet programs that others wrote:
// forwardauth behind nginx, cookie and websocket in front of Chromium. It also has bound
// tokens behind nginx, which forwards the certificates of clients or removes a prefix from
// their paths, and the status page in Chromium.
//
// nginx and Chromium or Chrome must be in PATH; on Debian and Ubuntu,
// .ci/nginx .ci/chromium make e2e gets them.
package web
