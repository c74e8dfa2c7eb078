package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// machine says where the figures come from.
func machine(date string) string {
	if date == "" {
		date = time.Now().Format(time.DateOnly)
	}
	return fmt.Sprintf("%s, %d cores, %s %s/%s, %s", processor(), runtime.GOMAXPROCS(0), runtime.Version(), runtime.GOOS, runtime.GOARCH, date)
}

// processor returns the model's name, where Linux tells it.
func processor() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unnamed processor"
	}
	for line := range strings.Lines(string(info)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unnamed processor"
}
