//go:build unix

package jwkscache_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

func newDirectory(t *testing.T) (jwkscache.Store, string) {
	path := filepath.Join(t.TempDir(), "of", "keys")
	st, err := jwkscache.Directory(path)
	require.NoError(t, err)
	return st, path
}

func TestDirectory(t *testing.T) {
	t.Run("F9 keeps documents, for others too", func(t *testing.T) {
		st, path := newDirectory(t)
		doc, err := st.Load(t.Context(), "v1-a")
		require.NoError(t, err)
		require.Nil(t, doc)
		require.NoError(t, st.Save(t.Context(), "v1-a", []byte("first")))
		require.NoError(t, st.Save(t.Context(), "v1-b", []byte("other")))
		require.NoError(t, st.Save(t.Context(), "v1-a", []byte("second")))

		st, err = jwkscache.Directory(path)
		require.NoError(t, err)
		doc, err = st.Load(t.Context(), "v1-a")
		require.NoError(t, err)
		assert.Equal(t, "second", string(doc))

		info, err := os.Stat(path)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o700), info.Mode().Perm())
		entries, err := os.ReadDir(path)
		require.NoError(t, err)
		assert.Len(t, entries, 2, "a temporary file was left")
		for _, e := range entries {
			info, err := e.Info()
			require.NoError(t, err)
			assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
		}
	})

	t.Run("F9 names that it refuses", func(t *testing.T) {
		st, _ := newDirectory(t)
		for _, name := range []string{"", ".", "..", "a/b", "../a", "a\\b", "A", "a.b", "a b", "a\x00", "é", "a\n", strings.Repeat("a", 101)} {
			_, err := st.Load(t.Context(), name)
			assert.Error(t, err, "Load %q", name)
			assert.Error(t, st.Save(t.Context(), name, nil), "Save %q", name)
			_, err = st.Lease(t.Context(), name, time.Minute)
			assert.Error(t, err, "Lease %q", name)
		}
	})

	for _, tc := range []struct {
		name string
		make func(t *testing.T, file string)
		err  string
	}{
		{"F9 a file that the group can write to", func(t *testing.T, file string) { require.NoError(t, os.Chmod(file, 0o620)) }, "writable by others"},
		{"F9 a file that all can write to", func(t *testing.T, file string) { require.NoError(t, os.Chmod(file, 0o602)) }, "writable by others"},
		{"F9 a link to a file", func(t *testing.T, file string) {
			require.NoError(t, os.Rename(file, file+"2"))
			require.NoError(t, os.Symlink(filepath.Base(file)+"2", file))
		}, "not a regular file"},
		{"F9 a link to nowhere", func(t *testing.T, file string) {
			require.NoError(t, os.Remove(file))
			require.NoError(t, os.Symlink("/nowhere", file))
		}, "not a regular file"},
		{"F9 a pipe", func(t *testing.T, file string) {
			require.NoError(t, os.Remove(file))
			require.NoError(t, syscall.Mkfifo(file, 0o600))
		}, "not a regular file"},
		{"F9 a directory", func(t *testing.T, file string) {
			require.NoError(t, os.Remove(file))
			require.NoError(t, os.Mkdir(file, 0o700))
		}, "not a regular file"},
		{"F9 a file of 2 MiB", func(t *testing.T, file string) {
			require.NoError(t, os.WriteFile(file, make([]byte, 2<<20), 0o600))
		}, "more than"},
		{"F9 a directory that the group can write to", func(t *testing.T, file string) { require.NoError(t, os.Chmod(filepath.Dir(file), 0o770)) }, "writable by others"},
		{"F9 a directory that all can write to", func(t *testing.T, file string) { require.NoError(t, os.Chmod(filepath.Dir(file), 0o1777)) }, "writable by others"},
		{"F9 a directory that is gone", func(t *testing.T, file string) { require.NoError(t, os.RemoveAll(filepath.Dir(file))) }, "no such file"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			st, path := newDirectory(t)
			require.NoError(t, st.Save(t.Context(), "a", []byte("document")))
			tc.make(t, filepath.Join(path, "a"))
			doc, err := st.Load(t.Context(), "a")
			require.ErrorContains(t, err, tc.err)
			assert.Empty(t, doc)
		})
	}

	t.Run("F9 what another user owns is refused", func(t *testing.T) {
		if os.Geteuid() != 0 { // only root can give a file away
			assert.Error(t, os.Chown(t.TempDir(), 1234, -1))
			return
		}
		st, path := newDirectory(t)
		require.NoError(t, st.Save(t.Context(), "a", []byte("document")))
		require.NoError(t, os.Chown(filepath.Join(path, "a"), 1234, -1))
		_, err := st.Load(t.Context(), "a")
		require.ErrorContains(t, err, "another user")
		require.NoError(t, os.Chown(path, 1234, -1))
		_, err = jwkscache.Directory(path)
		require.ErrorContains(t, err, "another user")
	})

	t.Run("F9 a bad file is replaced", func(t *testing.T) {
		st, path := newDirectory(t)
		require.NoError(t, os.Symlink("/etc/hostname", filepath.Join(path, "a")))
		require.NoError(t, st.Save(t.Context(), "a", []byte("document")))
		doc, err := st.Load(t.Context(), "a")
		require.NoError(t, err)
		assert.Equal(t, "document", string(doc))
	})

	t.Run("F9 paths that are not a safe directory", func(t *testing.T) {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o600))
		_, err := jwkscache.Directory(filepath.Join(dir, "file"))
		assert.Error(t, err)
		require.NoError(t, os.Mkdir(filepath.Join(dir, "open"), 0o700))
		require.NoError(t, os.Chmod(filepath.Join(dir, "open"), 0o722))
		_, err = jwkscache.Directory(filepath.Join(dir, "open"))
		assert.ErrorContains(t, err, "writable by others")
	})

	t.Run("F9 what died while writing is removed later", func(t *testing.T) {
		_, path := newDirectory(t)
		for _, name := range []string{"a.0123.tmp", "b.4567.tmp"} {
			require.NoError(t, os.WriteFile(filepath.Join(path, name), nil, 0o600))
		}
		old := time.Now().Add(-2 * time.Hour)
		require.NoError(t, os.Chtimes(filepath.Join(path, "a.0123.tmp"), old, old))
		_, err := jwkscache.Directory(path)
		require.NoError(t, err)
		assert.NoFileExists(t, filepath.Join(path, "a.0123.tmp"))
		assert.FileExists(t, filepath.Join(path, "b.4567.tmp"), "it may still be written")
	})

	t.Run("F9 a Load sees all of one document, however many are saved", func(t *testing.T) {
		st, _ := newDirectory(t)
		require.NoError(t, st.Save(t.Context(), "a", bytes.Repeat([]byte{'0'}, 100_000)))
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Go(func() {
				for n := range 10 {
					assert.NoError(t, st.Save(t.Context(), "a", bytes.Repeat([]byte{byte('0' + i)}, 100_000+n)))
				}
			})
		}
		for range 100 {
			doc, err := st.Load(t.Context(), "a")
			require.NoError(t, err)
			require.Equal(t, len(doc), bytes.Count(doc, doc[:1]))
		}
		wg.Wait()
	})
}

func TestDirectoryLease(t *testing.T) {
	t.Run("F9 one of many gets a lease, and one the next", inBubble(func(t *testing.T) {
		_, path := newDirectory(t)
		for round := range 20 {
			var granted atomic.Int64
			var wg sync.WaitGroup
			for range 10 {
				wg.Go(func() {
					st, err := jwkscache.Directory(path)
					assert.NoError(t, err)
					ok, err := st.Lease(t.Context(), "a", time.Minute)
					assert.NoError(t, err)
					if ok {
						granted.Add(1)
					}
				})
			}
			wg.Wait()
			require.EqualValues(t, 1, granted.Load(), "in round %d", round)
			pass(time.Minute)
		}
		entries, err := os.ReadDir(path)
		require.NoError(t, err)
		assert.Len(t, entries, 1)
	}))

	t.Run("F9 a lease ends by itself, to the nanosecond", inBubble(func(t *testing.T) {
		st, _ := newDirectory(t)
		for _, step := range []struct {
			wait time.Duration
			name string
			want bool
		}{{0, "a", true}, {0, "a", false}, {0, "b", true}, {time.Minute - 1, "a", false}, {1, "a", true}, {0, "b", true}, {1, "a", false}} {
			pass(step.wait)
			ok, err := st.Lease(t.Context(), step.name, time.Minute)
			require.NoError(t, err)
			assert.Equal(t, step.want, ok, "%+v", step)
		}
	}))

	for _, tc := range []struct {
		name, text string
		held       bool
	}{
		{"F9 the lease of one who died before the time was written", "", true},
		{"F9 a lease with rubbish", "rubbish", true},
		{"F9 a lease from the future, before the clock was set back", fmt.Sprintf("%d %d", time.Now().Add(time.Hour).UnixNano(), time.Hour), false},
		{"F9 a lease that has ended", fmt.Sprintf("%d %d", time.Now().Add(-time.Hour).UnixNano(), time.Minute), false},
		{"F9 a lease that is held", fmt.Sprintf("%d %d", time.Now().UnixNano(), time.Minute), true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			st, path := newDirectory(t)
			require.NoError(t, os.WriteFile(filepath.Join(path, "a.lease-7"), []byte(tc.text), 0o600))
			ok, err := st.Lease(t.Context(), "a", time.Minute)
			require.NoError(t, err)
			assert.Equal(t, !tc.held, ok)
			if tc.text == "" || tc.text == "rubbish" {
				old := time.Now().Add(-2 * time.Minute)
				require.NoError(t, os.Chtimes(filepath.Join(path, "a.lease-7"), old, old))
				ok, err = st.Lease(t.Context(), "a", time.Minute)
				require.NoError(t, err)
				assert.True(t, ok, "it never ends")
			}
		})
	}
}

// The test binary is a process of its own for this test, if so much is in its environment.
const leaseIn = "JWKSCACHE_TEST_LEASE_IN"

func TestDirectoryLeaseOfProcesses(t *testing.T) {
	if path := os.Getenv(leaseIn); path != "" {
		st, err := jwkscache.Directory(path)
		require.NoError(t, err)
		for range 50 {
			ok, err := st.Lease(t.Context(), "a", time.Hour)
			require.NoError(t, err)
			if ok {
				fmt.Println("granted")
			}
		}
		return
	}
	t.Run("F9 one of several processes gets the lease", func(t *testing.T) {
		_, path := newDirectory(t)
		require.NoError(t, os.WriteFile(filepath.Join(path, "a.lease-1"), []byte("0 1"), 0o600))
		var granted atomic.Int64
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestDirectoryLeaseOfProcesses$")
				cmd.Env = append(os.Environ(), leaseIn+"="+path)
				out, err := cmd.CombinedOutput()
				assert.NoError(t, err, "%s", out)
				granted.Add(int64(strings.Count(string(out), "granted")))
			})
		}
		wg.Wait()
		assert.EqualValues(t, 1, granted.Load())
	})
}
