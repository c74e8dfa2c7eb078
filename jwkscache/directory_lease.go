package jwkscache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"
)

const (
	leasePart = ".lease-" // between the name of the document and the number of the lease
	maxLease  = 100       // bytes in the file of one
)

// Lease implements [Store]. The leases of a document are numbered files, and the one
// with the highest number counts. To take over when it has ended is to make the file
// with the next number, which is possible once (O_EXCL); whoever has done so removes
// the files before it.
func (d *directory) Lease(_ context.Context, name string, period time.Duration) (bool, error) {
	root, err := d.openFor(name)
	if err != nil {
		return false, err
	}
	defer root.Close()
	leases, last, err := d.leases(root, name)
	if err != nil {
		return false, err
	}
	now := time.Now()
	if last > 0 {
		if held, err := isHeld(root, leaseName(name, last), now, period); held || err != nil {
			return false, err
		}
	}
	mine := leaseName(name, last+1)
	err = writeNew(root, mine, fmt.Appendf(nil, "%d %d", now.UnixNano(), period))
	if errors.Is(err, fs.ErrExist) { // another process was faster
		return false, nil
	}
	if err != nil {
		return false, err
	}
	for _, older := range leases {
		if err := removeIfThere(root, older); err != nil {
			return false, err
		}
	}
	// If this process stood still since it had read the directory, others may have
	// taken and removed a lease with this number.
	if _, last, err = d.leases(root, name); err != nil || leaseName(name, last) != mine {
		return false, errors.Join(err, removeIfThere(root, mine))
	}
	return true, nil
}

func leaseName(name string, number uint64) string {
	return name + leasePart + strconv.FormatUint(number, 10)
}

// leases returns the files of name's leases, and the highest number.
func (d *directory) leases(root *os.Root, name string) (files []string, last uint64, err error) {
	names, err := listNames(root)
	for _, file := range names {
		text, ok := strings.CutPrefix(file, name+leasePart)
		n, err := strconv.ParseUint(text, 10, 62)
		if !ok || err != nil || file != leaseName(name, n) {
			continue
		}
		files, last = append(files, file), max(last, n)
	}
	return files, last, err
}

// isHeld reports whether the lease in file has not ended. One that begins in the
// future has: the clock was set back. If its holder died before it could write the
// time, that of the file counts.
func isHeld(root *os.Root, file string, now time.Time, period time.Duration) (bool, error) {
	text, err := readPrivate(root, file, maxLease)
	if errors.Is(err, fs.ErrNotExist) { // it was taken over just now
		return true, nil
	}
	if err != nil {
		return false, err
	}
	var begin int64
	if _, err := fmt.Sscanf(string(text), "%d %d", &begin, &period); err != nil {
		info, err := root.Lstat(file)
		if err != nil {
			return true, nil
		}
		begin = info.ModTime().UnixNano()
	}
	held := now.Sub(time.Unix(0, begin))
	return held >= 0 && held < period, nil
}
