//go:build unix

package jwkscache

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// checkOwner returns why the owner of a file or directory must not write to it, or nil.
func checkOwner(info fs.FileInfo, name string) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if ok && stat.Uid != 0 && int(stat.Uid) != os.Geteuid() {
		return fmt.Errorf("%q belongs to another user (%d)", cut(name), stat.Uid)
	}
	return nil
}
