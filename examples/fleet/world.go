package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"sync"
	"time"
)

const (
	replicas    = 4 // of which the last one starts late
	maxLifetime = time.Hour
)

// A world is all that runs.
type world struct {
	program, dir, logs string
	env                []string // of the replicas
	record             *record
	issuer             *issuer
	redis              *process
	redisAddress       string
	replicas           [replicas]*replica
}

// A replica is one process of the API at a time.
type replica struct {
	number int // from 1

	mu      sync.Mutex
	process *process
	url     string // "" while it gets no requests
	status  string // the address of its status page
}

// at returns the address of the replica, or "" while it gets no requests.
func (r *replica) at() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.url
}

func (r *replica) name() string { return replicaName(r.number) }

func replicaName(number int) string { return fmt.Sprintf("replica %d", number) }

// build compiles the API, and starts Redis and the issuer.
func build(ctx context.Context, dir, logs string) (*world, error) {
	w := &world{program: filepath.Join(dir, "api"), dir: dir, logs: logs}
	for i := range w.replicas {
		w.replicas[i] = &replica{number: i + 1}
	}
	out, err := exec.CommandContext(ctx, "go", "build", "-o", w.program, "github.com/seed-12ed5b1c/jwtguard/examples/fleet/api").CombinedOutput()
	if err != nil {
		return w, fmt.Errorf("go build: %w\n%s", err, out)
	}
	w.record = newRecord()
	if w.issuer, err = newIssuer(w.record.asked); err != nil {
		return w, err
	}
	if w.redisAddress, err = freeAddress(); err != nil {
		return w, err
	}
	var secret [32]byte
	_, _ = rand.Read(secret[:]) // never fails
	w.env = []string{
		"ISSUER=" + w.issuer.Issuer(), "AUDIENCE=" + audience, "ORIGIN=" + audience, "MAX_LIFETIME=" + maxLifetime.String(),
		"REDIS_URL=redis://" + w.redisAddress + "/0", "STORE_SECRETS=" + base64.StdEncoding.EncodeToString(secret[:]),
	}
	w.record.change("issuer", up)
	return w, w.startRedis(ctx)
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func (w *world) startRedis(ctx context.Context) (err error) {
	w.redis, err = startRedis(ctx, w.dir, w.logs, w.redisAddress)
	if err == nil {
		w.record.change("Redis", up)
	}
	return err
}

func (w *world) killRedis() {
	w.redis.kill()
	w.record.change("Redis", down)
}

// startReplica starts a replica, and returns when it gets requests: when its startup
// probe has succeeded.
func (w *world) startReplica(ctx context.Context, r *replica) error {
	w.record.change(r.name(), starting)
	p, api, internal, err := startReplica(ctx, r.name(), w.logs, w.program, w.env)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.process = p
	if err != nil {
		return err
	}
	r.url, r.status = api, internal+"/status"
	w.record.change(r.name(), up)
	return nil
}

// startReplicas starts several at the same time.
func (w *world) startReplicas(ctx context.Context, all ...*replica) error {
	errs := make([]error, len(all))
	var started sync.WaitGroup
	for i, r := range all {
		started.Go(func() { errs[i] = w.startReplica(ctx, r) })
	}
	started.Wait()
	return errors.Join(errs...)
}

// killReplica kills a replica while it gets requests.
func (w *world) killReplica(r *replica) {
	r.mu.Lock()
	defer r.mu.Unlock()
	w.record.change(r.name(), down) // what is under way now gets no response
	r.url = ""
	r.process.kill()
	r.process = nil
}

func (w *world) killIssuer() error {
	err := w.issuer.kill()
	w.record.change("issuer", down)
	return err
}

func (w *world) restartIssuer() error {
	err := w.issuer.restart()
	w.record.change("issuer", up)
	return err
}

// close ends what runs. It returns an error if a replica does not end as it is asked to.
func (w *world) close() error {
	errs := make([]error, replicas)
	var stopped sync.WaitGroup
	for i, r := range w.replicas {
		stopped.Go(func() {
			r.mu.Lock()
			defer r.mu.Unlock()
			if r.process != nil {
				errs[i] = r.process.stop()
			}
		})
	}
	stopped.Wait()
	if w.redis != nil {
		w.redis.kill()
	}
	if w.issuer != nil {
		errs = append(errs, w.issuer.kill())
	}
	return errors.Join(errs...)
}
