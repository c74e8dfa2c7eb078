package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

//go:embed alerts/jwtguard.yml
var alerts string

// findPrometheus returns the program that PROMETHEUS names, or the one in PATH.
func findPrometheus() (string, error) {
	if p := os.Getenv("PROMETHEUS"); p != "" {
		return p, nil
	}
	return exec.LookPath("prometheus")
}

// A scraper is a running Prometheus. Its data are in a folder, which stop deletes.
type scraper struct {
	url    string
	cmd    *exec.Cmd
	dir    string
	stderr bytes.Buffer
}

// startPrometheus starts program, which scrapes target (host:port) each interval and
// evaluates rules as often.
func startPrometheus(program, address, target, rules string, interval time.Duration) (_ *scraper, err error) {
	dir, err := os.MkdirTemp("", "jwtguard-prometheus-")
	if err != nil {
		return nil, err
	}
	s := &scraper{url: "http://" + address, dir: dir}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	config, err := json.Marshal(map[string]any{ // which is YAML, too
		"global":     map[string]any{"scrape_interval": interval.String(), "scrape_timeout": interval.String(), "evaluation_interval": interval.String()},
		"rule_files": []string{filepath.Join(dir, "rules.yml")},
		"scrape_configs": []any{map[string]any{
			"job_name": "api", "static_configs": []any{map[string]any{"targets": []string{target}}},
		}},
	})
	if err != nil {
		return nil, err
	}
	for name, text := range map[string]string{"prometheus.yml": string(config), "rules.yml": rules} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	s.cmd = exec.Command(program,
		"--config.file="+filepath.Join(dir, "prometheus.yml"),
		"--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+address, "--log.level=warn")
	s.cmd.Stderr = &s.stderr
	return s, s.cmd.Start()
}

// ready waits until the Prometheus responds.
func (s *scraper) ready(ctx context.Context) error {
	for {
		res, err := http.Get(s.url + "/-/ready")
		if err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("prometheus does not start: %w", err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// stop ends the Prometheus and deletes its data.
func (s *scraper) stop() error {
	err := s.cmd.Process.Signal(os.Interrupt)
	if waited := s.cmd.Wait(); waited != nil {
		err = errors.Join(err, waited, errors.New(s.stderr.String()))
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}

// faster divides all durations of the rules by a number, so that alerts are pending and firing
// within seconds or minutes.
func faster(rules string, by int) string {
	rules = regexp.MustCompile(`(\[|offset |for: )(\d+)([mh])\b`).ReplaceAllStringFunc(rules, func(d string) string {
		at := strings.IndexAny(d, "0123456789")
		took, err := time.ParseDuration(d[at:])
		if err != nil {
			panic(err) // the expression above permits none that is not one
		}
		return d[:at] + strconv.Itoa(int(took.Milliseconds())/by) + "ms"
	})
	return strings.Replace(rules, "> 7200", "> "+strconv.Itoa(7200/by), 1)
}
