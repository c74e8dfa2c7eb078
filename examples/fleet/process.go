package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// startWithin is how long a process may take to be ready.
const startWithin = 20 * time.Second

// A process is a program that was started.
type process struct {
	name   string
	cmd    *exec.Cmd
	exited chan struct{}
	err    error // of cmd, once exited is closed
}

// start starts a program, whose output goes to log.
func start(name string, log io.WriteCloser, env []string, program string, args ...string) (*process, error) {
	p := &process{name: name, cmd: exec.Command(program, args...), exited: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.WaitDelay = time.Second
	if err := p.cmd.Start(); err != nil {
		return nil, errors.Join(err, log.Close())
	}
	go func() {
		defer close(p.exited)
		p.err = errors.Join(p.cmd.Wait(), log.Close())
	}()
	return p, nil
}

// kill kills the process, as kill -9 does, and waits until it has exited.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // an error means that it has exited
	<-p.exited
}

// stop asks the process to end, and returns an error if it does so with one, or not at all.
func (p *process) stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.exited:
	case <-time.After(startWithin):
		p.kill()
		return fmt.Errorf("%s does not end when it is asked to", p.name)
	}
	if p.err != nil {
		return fmt.Errorf("%s: %w", p.name, p.err)
	}
	return nil
}

// wait calls ready until it returns nil.
func (p *process) wait(ctx context.Context, ready func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.exited:
			return fmt.Errorf("%s has exited: %w", p.name, p.err)
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w", p.name, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// openLog returns the file for the output of a program, to which it appends.
func openLog(dir, name string) (*os.File, error) {
	return os.OpenFile(filepath.Join(dir, name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
}

// startRedis starts a redis-server without data at address.
func startRedis(ctx context.Context, dir, logs, address string) (*process, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	log, err := openLog(logs, "redis")
	if err != nil {
		return nil, err
	}
	p, err := start("redis-server", log, nil, "redis-server", "--bind", host, "--port", port,
		"--dir", dir, "--save", "", "--appendonly", "no", "--maxmemory", "64mb", "--maxmemory-policy", "noeviction")
	if err != nil {
		return nil, err
	}
	return p, p.wait(ctx, func(ctx context.Context) error { return ping(ctx, address) })
}

// ping sends PING to a Redis.
func ping(ctx context.Context, address string) error {
	c, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return err
	}
	if _, err := io.WriteString(c, "PING\r\n"); err != nil {
		return err
	}
	line, err := bufio.NewReader(c).ReadString('\n')
	if err == nil && line != "+PONG\r\n" {
		err = fmt.Errorf("a response of Redis: %q", line)
	}
	return err
}

// startReplica starts the API, and returns the addresses at which it serves when its
// startup probe succeeds.
func startReplica(ctx context.Context, name, logs, program string, env []string) (p *process, api, internal string, err error) {
	file, err := openLog(logs, name)
	if err != nil {
		return nil, "", "", err
	}
	log := &apiLog{file: file, serving: make(chan [2]string, 1)}
	p, err = start(name, log, append(env, "ADDR=127.0.0.1:0", "INTERNAL_ADDR=127.0.0.1:0"), program)
	if err != nil {
		return nil, "", "", err
	}
	select {
	case at := <-log.serving:
		api, internal = "http://"+at[0], "http://"+at[1]
	case <-p.exited:
		return p, "", "", fmt.Errorf("%s has exited: %w", name, p.err)
	}
	return p, api, internal, p.wait(ctx, func(ctx context.Context) error { return probe(ctx, internal+"/startupz") })
}

func probe(ctx context.Context, url string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		err = errors.New(res.Status)
	}
	return errors.Join(err, res.Body.Close())
}

// An apiLog keeps the log of a replica, and looks for the addresses in it.
type apiLog struct {
	file    *os.File
	line    []byte
	serving chan [2]string
	found   bool
}

// Write is called by one goroutine, that of the process.
func (l *apiLog) Write(p []byte) (int, error) {
	for _, b := range p {
		if l.found {
			break
		}
		if l.line = append(l.line, b); b != '\n' {
			continue
		}
		var at struct{ Msg, Addr, Internal string }
		if json.Unmarshal(l.line, &at) == nil && at.Msg == "serving" {
			l.serving <- [2]string{at.Addr, at.Internal}
			l.found = true
		}
		l.line = l.line[:0]
	}
	return l.file.Write(p)
}

func (l *apiLog) Close() error { return l.file.Close() }
