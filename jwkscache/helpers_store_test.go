package jwkscache_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

// secret authenticates what is in the stores of the tests.
var secret = []byte("0123456789abcdef0123456789abcdef")

// A memory is a Store in memory. Each replica may have a view of its own.
type memory struct {
	mu     sync.Mutex
	docs   map[string][]byte
	leases map[string]time.Time

	loads, saves, granted, denied int
}

func newMemory() *memory {
	return &memory{docs: map[string][]byte{}, leases: map[string]time.Time{}}
}

func (m *memory) Load(_ context.Context, name string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.loads++
	return m.docs[name], nil
}

func (m *memory) Save(_ context.Context, name string, doc []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.saves++
	m.docs[name] = slices.Clone(doc)
	return nil
}

func (m *memory) Lease(_ context.Context, name string, d time.Duration) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if time.Now().Before(m.leases[name]) {
		m.denied++
		return false, nil
	}
	m.granted++
	m.leases[name] = time.Now().Add(d)
	return true, nil
}

// name returns the name of the only key set in m.
func (m *memory) name() (name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for n := range m.docs {
		if !strings.HasSuffix(n, "-failed") {
			name = n
		}
	}
	return name
}

// document returns the only key set in m, or nil.
func (m *memory) document() []byte {
	name := m.name()
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.docs[name]
}

// put replaces the only key set in m.
func (m *memory) put(doc []byte) {
	name := m.name()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.docs[name] = doc
}

// clear is a restart without what was kept.
func (m *memory) clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.docs)
	clear(m.leases)
}

// A switched is a Store whose calls go through before, which may fail or wait.
type switched struct {
	jwkscache.Store
	mu     sync.Mutex
	before func(ctx context.Context, call string) error // nil lets everything through
}

func (s *switched) set(before func(context.Context, string) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before = before
}

func (s *switched) check(ctx context.Context, call string) error {
	s.mu.Lock()
	before := s.before
	s.mu.Unlock()
	if before == nil {
		return nil
	}
	return before(ctx, call)
}

func (s *switched) Load(ctx context.Context, name string) ([]byte, error) {
	if err := s.check(ctx, "load"); err != nil {
		return nil, err
	}
	return s.Store.Load(ctx, name)
}

func (s *switched) Save(ctx context.Context, name string, doc []byte) error {
	if err := s.check(ctx, "save"); err != nil {
		return err
	}
	return s.Store.Save(ctx, name, doc)
}

func (s *switched) Lease(ctx context.Context, name string, d time.Duration) (bool, error) {
	if err := s.check(ctx, "lease"); err != nil {
		return false, err
	}
	return s.Store.Lease(ctx, name, d)
}

// shared returns a Config for a replica on st.
func shared(st jwkscache.Store) jwkscache.Config {
	return jwkscache.Config{Store: st, StoreSecrets: [][]byte{secret}}
}
