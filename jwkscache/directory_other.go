//go:build !unix

package jwkscache

import "io/fs"

// checkOwner has nothing to check: here, a file has no owner that Go knows of.
func checkOwner(fs.FileInfo, string) error { return nil }
