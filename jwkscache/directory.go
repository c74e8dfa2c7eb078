package jwkscache

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"
)

const (
	temporary     = ".tmp"    // how the name of a file ends that is being written
	oldTemporary  = time.Hour // what a process that has died left behind
	documentPerm  = 0o600
	directoryPerm = 0o700
	writableByAll = 0o022 // by the group or by others
)

// A directory is a Store of files. Its own fields never change, so all state is in
// the file system, and any number of processes can share it.
type directory struct{ path string }

// Directory returns a [Store] in the directory at path, for the processes of one
// machine and for the next start. It makes the directory if there is none. Whoever
// can write there can sign tokens, so it must be this user's or root's, and neither
// it nor a file in it may be writable by the group or by others; that is checked at
// each call, too, except on Windows. Symbolic links in it are not followed. On a
// volume that a group can write to, name a directory of its own within.
func Directory(path string) (Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("jwkscache: Directory: %w", err)
	}
	if err := os.MkdirAll(path, directoryPerm); err != nil {
		return nil, fmt.Errorf("jwkscache: Directory: %w", err)
	}
	d := &directory{path}
	root, err := d.open()
	if err != nil {
		return nil, fmt.Errorf("jwkscache: Directory: %w", err)
	}
	defer root.Close()
	removeOldTemporary(root)
	return d, nil
}

var storeName = regexp.MustCompile(`^[a-z0-9-]{1,100}$`)

// open returns the directory, if it is safe to use.
func (d *directory) open() (*os.Root, error) {
	root, err := os.OpenRoot(d.path)
	if err != nil {
		return nil, err
	}
	info, err := root.Stat(".")
	if err == nil {
		err = checkPrivate(info, d.path)
	}
	if err != nil {
		root.Close()
		return nil, err
	}
	return root, nil
}

// openFor is open for what is kept under name.
func (d *directory) openFor(name string) (*os.Root, error) {
	if !storeName.MatchString(name) {
		return nil, fmt.Errorf("not the name of a document: %q", cut(name))
	}
	return d.open()
}

// checkPrivate returns why others can write to a file or directory, or nil.
func checkPrivate(info fs.FileInfo, name string) error {
	if runtime.GOOS == "windows" { // its permissions are not in the mode
		return nil
	}
	if perm := info.Mode().Perm(); perm&writableByAll != 0 {
		return fmt.Errorf("%q is writable by others than its owner (%#o)", cut(name), perm)
	}
	return checkOwner(info, name)
}

// Load implements [Store].
func (d *directory) Load(_ context.Context, name string) ([]byte, error) {
	root, err := d.openFor(name)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	doc, err := readPrivate(root, name, maxDocument)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return doc, err
}

// readPrivate reads a regular file that only its owner can write to.
func readPrivate(root *os.Root, name string, limit int) ([]byte, error) {
	info, err := root.Lstat(name)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular(): // a pipe would block
		return nil, fmt.Errorf("%q is not a regular file", cut(name))
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	opened, err := f.Stat() // it may be another one by now
	switch {
	case err != nil:
		return nil, err
	case !opened.Mode().IsRegular():
		return nil, fmt.Errorf("%q is not a regular file", cut(name))
	}
	if err := checkPrivate(opened, name); err != nil {
		return nil, err
	}
	doc, err := io.ReadAll(io.LimitReader(f, int64(limit)+1))
	if err == nil && len(doc) > limit {
		return nil, fmt.Errorf("%q has more than %d bytes", cut(name), limit)
	}
	return doc, err
}

// Save implements [Store]: after a crash, the file has all of the old or all of the
// new document.
func (d *directory) Save(_ context.Context, name string, document []byte) error {
	root, err := d.openFor(name)
	if err != nil {
		return err
	}
	defer root.Close()
	unfinished := fmt.Sprintf("%s.%016x%s", name, rand.Uint64(), temporary)
	err = writeNew(root, unfinished, document)
	if err == nil {
		err = root.Rename(unfinished, name)
	}
	if err != nil {
		return errors.Join(err, removeIfThere(root, unfinished))
	}
	return syncDirectory(root)
}

// writeNew writes a file that was not there.
func writeNew(root *os.Root, name string, content []byte) error {
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, documentPerm)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func removeIfThere(root *os.Root, name string) error {
	if err := root.Remove(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// syncDirectory makes a rename last.
func syncDirectory(root *os.Root) error {
	if runtime.GOOS == "windows" { // it cannot
		return nil
	}
	dir, err := root.Open(".")
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

// removeOldTemporary removes what processes that died have left behind.
func removeOldTemporary(root *os.Root) {
	names, _ := listNames(root)
	for _, name := range names {
		if !strings.HasSuffix(name, temporary) {
			continue
		}
		if info, err := root.Lstat(name); err == nil && time.Since(info.ModTime()) > oldTemporary {
			_ = root.Remove(name) // another process may have done so
		}
	}
}

func listNames(root *os.Root) ([]string, error) {
	dir, err := root.Open(".")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return dir.Readdirnames(-1)
}
