package redisstore_test

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/redisstore"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/revocation"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

const issuer = "https://issuer.test"

// A replica has a list of its own, which it shares.
type replica struct {
	*redisstore.Revocations
	list *revocation.List
}

func newReplica(t *testing.T, s clientMaker, cfg redisstore.RevocationConfig, maxEntries ...int) *replica {
	t.Helper()
	listConfig := revocation.Config{MaxLifetime: time.Hour}
	if maxEntries != nil {
		listConfig.MaxEntries = maxEntries[0]
	}
	list, err := revocation.New(listConfig)
	require.NoError(t, err)
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	r, err := redisstore.NewRevocations(s.client(t), list, cfg)
	require.NoError(t, err)
	t.Cleanup(func() { _ = r.Close() })
	return &replica{r, list}
}

// replicas returns n replicas that have read the list.
func replicas(t *testing.T, s *redisServer, n int, cfg redisstore.RevocationConfig) []*replica {
	t.Helper()
	all := make([]*replica, n)
	for i := range all {
		all[i] = newReplica(t, s, cfg)
		require.NoError(t, all[i].Ready(t.Context()))
	}
	return all
}

func tokenID(id string) revocation.Entry {
	return revocation.Entry{Issuer: issuer, TokenID: id, Expires: time.Now().Add(time.Hour).Truncate(time.Millisecond).UTC()}
}

func tokenIDs(n int, name string) (all []revocation.Entry) {
	for i := range n {
		all = append(all, tokenID(fmt.Sprintf("%s %d", name, i)))
	}
	return all
}

func (r *replica) revokes(t *testing.T, id string) bool {
	t.Helper()
	revoked, err := r.Revoked(t.Context(), verifiertest.NewToken(verifiertest.Claims{"iss": issuer, "jti": id}))
	require.NoError(t, err)
	return revoked
}

// sorted returns the entries of a list in an order.
func sorted(l *revocation.List) []revocation.Entry {
	return slices.SortedFunc(slices.Values(l.Entries()), func(a, b revocation.Entry) int {
		return strings.Compare(fmt.Sprint(a), fmt.Sprint(b))
	})
}

// agree demands that all lists have the same n entries.
func agree(t *testing.T, n int, all ...*replica) {
	t.Helper()
	for _, r := range all {
		require.Len(t, r.list.Entries(), n)
		require.Equal(t, sorted(all[0].list), sorted(r.list))
		require.NoError(t, r.Health())
	}
}

func TestRevocations(t *testing.T) {
	bubble(t, "D5 what one replica revokes all refuse", func(t *testing.T) {
		s := newServer(t)
		all := replicas(t, s, 3, redisstore.RevocationConfig{})
		for i, r := range all {
			id := fmt.Sprint("token ", i)
			require.NoError(t, r.Revoke(t.Context(), tokenID(id)))
			time.Sleep(time.Millisecond)
			for _, other := range all {
				assert.True(t, other.revokes(t, id))
				assert.False(t, other.revokes(t, "another"))
			}
		}
		late := newReplica(t, s, redisstore.RevocationConfig{})
		require.NoError(t, late.Ready(t.Context()))
		agree(t, 3, append(all, late)...)
	})
	bubble(t, "D5 entries of every kind arrive as they are", func(t *testing.T) {
		s := newServer(t)
		all := replicas(t, s, 2, redisstore.RevocationConfig{})
		before := time.Now().Add(-time.Minute)
		entries := []revocation.Entry{
			{Issuer: issuer},
			{Issuer: issuer, TokenID: "a"},
			{Issuer: issuer, TokenID: "b", IssuedBefore: before},
			{Issuer: issuer, TokenID: "c", Expires: time.Now().Add(time.Minute)},
			{Issuer: issuer, Subject: "a"},
			{Issuer: issuer, ClientID: "a", IssuedBefore: before},
			{Issuer: issuer, Subject: "a", ClientID: "b", Expires: time.Now().Add(3 * time.Hour)},
			{Issuer: issuer, Subject: "before 1970", IssuedBefore: time.Unix(-1, 0)},
			{Issuer: issuer, Subject: "from the future", IssuedBefore: time.Now().Add(time.Hour)},
			{Issuer: strings.Repeat("\x01", 2048), Subject: strings.Repeat("\x02", 2048), ClientID: strings.Repeat("\x03", 2048)},
			{Issuer: "<\u2028>&\"", TokenID: `{"iss":"x"}`},
			{Issuer: "check", TokenID: "k"},
		}
		for _, e := range entries {
			require.NoError(t, all[0].Revoke(t.Context(), e))
			time.Sleep(1500 * time.Microsecond) // so that their clocks differ
		}
		late := newReplica(t, s, redisstore.RevocationConfig{})
		require.NoError(t, late.Ready(t.Context()))
		agree(t, len(entries), all[0], all[1], late)
		subject := func(sub string, issued time.Time) *verifier.Token {
			return verifiertest.NewToken(verifiertest.Claims{"iss": issuer + "/", "sub": sub, "iat": issued.Unix()})
		}
		require.NoError(t, all[0].Revoke(t.Context(), revocation.Entry{Issuer: issuer + "/", Subject: "a"}))
		time.Sleep(time.Minute)
		for _, r := range []*replica{all[0], all[1], late} {
			revoked, err := r.Revoked(t.Context(), subject("a", time.Now()))
			require.NoError(t, err)
			assert.False(t, revoked, "issued after the entry")
			revoked, err = r.Revoked(t.Context(), subject("a", time.Now().Add(-time.Minute)))
			require.NoError(t, err)
			assert.True(t, revoked)
		}
	})
	bubble(t, "D5 the later of each time counts", func(t *testing.T) {
		s := newServer(t)
		all := replicas(t, s, 2, redisstore.RevocationConfig{})
		now := time.Now()
		for _, e := range []revocation.Entry{
			{IssuedBefore: now.Add(-time.Minute), Expires: now.Add(5 * time.Hour)},
			{IssuedBefore: now.Add(-time.Hour), Expires: now.Add(2 * time.Hour)},
			{IssuedBefore: now.Add(-time.Second), Expires: now.Add(3 * time.Hour)},
		} {
			e.Issuer, e.Subject = issuer, "a"
			require.NoError(t, all[0].Revoke(t.Context(), e))
		}
		require.NoError(t, all[0].Revoke(t.Context(), revocation.Entry{Issuer: issuer, TokenID: "a"}, revocation.Entry{Issuer: issuer, TokenID: "a", IssuedBefore: now}))
		time.Sleep(time.Millisecond)
		late := newReplica(t, s, redisstore.RevocationConfig{})
		require.NoError(t, late.Ready(t.Context()))
		agree(t, 2, all[0], all[1], late)
		assert.Contains(t, late.list.Entries(), revocation.Entry{
			Issuer: issuer, Subject: "a", IssuedBefore: now.Add(-time.Second).UTC(), Expires: now.Add(5 * time.Hour).UTC(),
		})
	})
	bubble(t, "D5 many at once", func(t *testing.T) {
		s := newServer(t)
		all := replicas(t, s, 2, redisstore.RevocationConfig{})
		total := 0
		for _, n := range []int{100, 101, 2001} {
			require.NoError(t, all[0].Revoke(t.Context(), tokenIDs(n, fmt.Sprint("of ", n))...))
			total += n
			time.Sleep(300 * time.Millisecond)
			agree(t, total, all...)
		}
	})
	bubble(t, "D5 what the program adds to its list is published within minutes", func(t *testing.T) {
		s := newServer(t)
		all := replicas(t, s, 2, redisstore.RevocationConfig{})
		require.NoError(t, all[0].list.Revoke(t.Context(), tokenID("a")))
		time.Sleep(4 * time.Minute)
		agree(t, 1, all...)
	})
	bubble(t, "D5 an entry that the list refuses is not published", func(t *testing.T) {
		s := newServer(t)
		all := replicas(t, s, 2, redisstore.RevocationConfig{})
		require.ErrorContains(t, all[0].Revoke(t.Context(), tokenID("a"), revocation.Entry{TokenID: "b"}), "no Issuer")
		require.NoError(t, all[0].Revoke(t.Context()))
		time.Sleep(time.Minute)
		agree(t, 0, all...)
		assert.NotContains(t, s.Keys(), "{jwtguard:revocations}:entries")
	})
	bubble(t, "D5 an answer that is lost publishes once", func(t *testing.T) {
		s := newServer(t)
		all := replicas(t, s, 2, redisstore.RevocationConfig{})
		require.NoError(t, all[0].Revoke(t.Context(), tokenID("a"))) // the script is known
		time.Sleep(100 * time.Millisecond)                           // the others wait for a message
		writer := newReplica(t, s, redisstore.RevocationConfig{})
		require.NoError(t, writer.Ready(t.Context()))
		require.NoError(t, writer.Revoke(t.Context(), tokenID("b")))
		time.Sleep(100 * time.Millisecond)
		s.loseAnswerTo("evalsha")
		require.NoError(t, writer.Revoke(t.Context(), tokenID("c")))
		assert.Nil(t, s.lose.Load())
		time.Sleep(time.Millisecond)
		agree(t, 3, all[0], all[1], writer)
		log, err := s.Stream("{jwtguard:revocations}:log")
		require.NoError(t, err)
		assert.Len(t, log, 3)
	})
	bubble(t, "D5 entries that have ended do not stay in Redis", func(t *testing.T) {
		s := newServer(t)
		all := replicas(t, s, 2, redisstore.RevocationConfig{})
		require.NoError(t, all[0].Revoke(t.Context(), tokenIDs(300, "old")...))
		time.Sleep(time.Hour + 10*time.Minute + time.Second)
		agree(t, 0, all...)
		for i := range 4 {
			require.NoError(t, all[1].Revoke(t.Context(), tokenID(fmt.Sprint("new ", i))))
		}
		names, err := s.HKeys("{jwtguard:revocations}:entries")
		require.NoError(t, err)
		assert.Len(t, names, 4)
		names, err = s.ZMembers("{jwtguard:revocations}:ends")
		require.NoError(t, err)
		assert.Len(t, names, 4)
		time.Sleep(time.Millisecond)
		agree(t, 4, all...)
	})
	bubble(t, "D5 lists with another prefix have other entries", func(t *testing.T) {
		s := newServer(t)
		a := replicas(t, s, 1, redisstore.RevocationConfig{})[0]
		b := replicas(t, s, 1, redisstore.RevocationConfig{Prefix: "staging:"})[0]
		require.NoError(t, a.Revoke(t.Context(), tokenID("a")))
		time.Sleep(5 * time.Minute)
		agree(t, 1, a)
		agree(t, 0, b)
	})
}

func TestNewRevocationsNamesTheWrongSetting(t *testing.T) {
	list, err := revocation.New(revocation.Config{MaxLifetime: time.Hour})
	require.NoError(t, err)
	for name, test := range clients(t) {
		t.Run("D1 "+name, func(t *testing.T) {
			r, err := redisstore.NewRevocations(test.client, list, redisstore.RevocationConfig{})
			if test.want == "" {
				require.NoError(t, err)
				assert.NoError(t, r.Close())
			} else {
				require.ErrorContains(t, err, test.want)
			}
		})
	}
	client := redis.NewClient(&redis.Options{ContextTimeoutEnabled: true})
	defer client.Close()
	_, err = redisstore.NewRevocations(client, nil, redisstore.RevocationConfig{})
	require.ErrorContains(t, err, "list is nil")
	for want, cfg := range map[string]redisstore.RevocationConfig{
		"WhileAway":                     {WhileAway: 2},
		"a MaxAge, but":                 {MaxAge: time.Minute},
		"a MaxAge of 0s; with Refuse":   {WhileAway: redisstore.Refuse},
		"a MaxAge of 4.9s; with Refuse": {WhileAway: redisstore.Refuse, MaxAge: 4900 * time.Millisecond},
	} {
		_, err := redisstore.NewRevocations(client, list, cfg)
		require.ErrorContains(t, err, want)
	}
}
