package ssf_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier/revocation"
	"github.com/seed-12ed5b1c/jwtguard/verifier/ssf"
)

func TestEvents(t *testing.T) {
	for _, row := range []struct {
		name, events string
		want         ssf.Outcome
		event        string
		configured   []string
	}{
		{name: "S5 session-revoked", events: event(caep+"session-revoked", `{}`), want: ssf.Applied, event: ssf.SessionRevoked},
		{name: "S5 token-claims-change", events: event(caep+"token-claims-change", `{"claims":{"role":"ro-admin"}}`), want: ssf.Applied, event: ssf.TokenClaimsChange},
		{name: "S5 credential-change", events: event(caep+"credential-change", `{"credential_type":"password","change_type":"update"}`), want: ssf.Applied, event: ssf.CredentialChange},
		{name: "S5 account-disabled", events: event(risc+"account-disabled", `{"reason":"hijacking"}`), want: ssf.Applied, event: ssf.AccountDisabled},
		{name: "S5 account-purged", events: event(risc+"account-purged", `{}`), want: ssf.Applied, event: ssf.AccountPurged},
		{name: "S5 credential-compromise", events: event(risc+"credential-compromise", `{}`), want: ssf.Applied, event: ssf.CredentialCompromise},
		{name: "S5 account-enabled", events: event(risc+"account-enabled", `{}`), want: ssf.Unsupported},
		{name: "S5 session-established", events: event(caep+"session-established", `{}`), want: ssf.Unsupported},
		{name: "S5 of an unknown type", events: event("https://idp.example.com/x", `{}`), want: ssf.Unsupported},
		{name: "S5 its type in another case", events: event(strings.ToUpper(caep+"session-revoked"), `{}`), want: ssf.Unsupported},
		{name: "S5 verification", events: event(stream+"verification", `{"state":"VGhpcw"}`), want: ssf.Verification, event: stream + "verification"},
		{name: "S5 stream-updated", events: event(stream+"stream-updated", `{"status":"enabled"}`), want: ssf.StreamUpdated, event: stream + "stream-updated"},
		{name: "S5 one of two", events: `{"https://idp.example.com/x":{},"` + ssf.SessionRevoked + `":{}}`, want: ssf.Applied, event: ssf.SessionRevoked},
		{name: "S5 the other of two", events: `{"` + ssf.SessionRevoked + `":{},"https://idp.example.com/x":{}}`, want: ssf.Applied, event: ssf.SessionRevoked},
		{name: "S5 two about the stream", events: `{"` + stream + `stream-updated":{},"` + stream + `verification":{}}`, want: ssf.StreamUpdated, event: stream + "stream-updated"},
		{name: "S5 an unknown one, and one about the stream", events: `{"https://idp.example.com/x":{},"` + stream + `stream-updated":{}}`, want: ssf.Unsupported},
		{name: "S5 configured", events: event("https://idp.example.com/x", `{}`), want: ssf.Applied, event: "https://idp.example.com/x", configured: []string{"https://idp.example.com/x"}},
		{name: "S5 not configured", events: event(ssf.SessionRevoked, `{}`), want: ssf.Unsupported, configured: []string{ssf.AccountDisabled}},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t, func(c *ssf.Config) { c.Events = row.configured })
				s.accepted(s.push(s.set(members{"events": row.events})), row.want)
				assert.Equal(t, row.event, s.last().Event)
				if row.want != ssf.Applied {
					assert.Empty(t, s.calls, "nothing is revoked")
					assert.Zero(t, s.last().Entries)
					assert.Equal(t, row.want == ssf.Unsupported, s.last().Err != nil)
					return
				}
				want := []revocation.Entry{{Issuer: s.iss.URL(), Subject: "alice", IssuedBefore: time.Now().UTC()}}
				assert.Equal(t, [][]revocation.Entry{want}, s.calls)
				assert.Equal(t, 1, s.last().Entries)
				assert.NoError(t, s.last().Err)
			})
		})
	}
}

// What a transmitter must not revoke is reported, whatever else is in the SET.
func TestOtherIssuerBesideOtherEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, events := range []string{`{"https://idp.example.com/x":{},"` + ssf.SessionRevoked + `":{}}`, `{"` + ssf.SessionRevoked + `":{},"https://idp.example.com/x":{}}`} {
			s := newScene(t, nil)
			s.accepted(s.push(s.set(members{"sub_id": mallory, "events": events})), ssf.OtherIssuer)
			assert.Equal(t, ssf.SessionRevoked, s.last().Event, "S7")
		}
	})
}

// Several events that revoke are in force together.
func TestSeveralEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, nil)
		s.accepted(s.push(s.set(members{"events": `{"` + ssf.SessionRevoked + `":{"event_timestamp":1},"` + ssf.CredentialChange + `":{"event_timestamp":2}}`})), ssf.Applied)
		assert.Equal(t, ssf.SessionRevoked, s.last().Event, "S10 the first")
		alice := func(at int64) revocation.Entry {
			return revocation.Entry{Issuer: s.iss.URL(), Subject: "alice", IssuedBefore: time.Unix(at, 0).UTC()}
		}
		assert.Equal(t, [][]revocation.Entry{{alice(1), alice(2)}}, s.calls, "S9 by one call, so all or none")
	})
}

func TestTimeOfAnEvent(t *testing.T) {
	for name, row := range map[string]struct {
		payload string
		toe     string
		want    int64
	}{
		"S8 event_timestamp":               {payload: `{"event_timestamp":940000000}`, toe: `930000000`, want: 940000000},
		"S8 with a fraction":               {payload: `{"event_timestamp":940000000.0}`, want: 940000000},
		"S8 1970":                          {payload: `{"event_timestamp":0}`, toe: `930000000`, want: 0},
		"S8 else toe":                      {payload: `{}`, toe: `930000000`, want: 930000000},
		"S8 else iat":                      {payload: `{}`, want: 945000000},
		"S8 not null":                      {payload: `{"event_timestamp":null}`, toe: `null`, want: 945000000},
		"S8 not milliseconds":              {payload: `{"event_timestamp":1700000000000}`, want: 945000000},
		"S8 not a string":                  {payload: `{"event_timestamp":"940000000"}`, want: 945000000},
		"S8 toe where that cannot be read": {payload: `{"event_timestamp":-1}`, toe: `930000000`, want: 930000000},
		"S8 iat where neither can be read": {payload: `{"event_timestamp":{}}`, toe: `"x"`, want: 945000000},
		"S8 not a member of a member":      {payload: `{"x":{"event_timestamp":940000000}}`, want: 945000000},
		"S8 not later than iat":            {payload: `{"event_timestamp":4102444800}`, want: 945000000},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t, nil)
				s.accepted(s.push(s.set(members{"iat": `945000000`, "toe": row.toe, "events": event(ssf.SessionRevoked, row.payload)})), ssf.Applied)
				require.Len(t, s.calls, 1)
				assert.Equal(t, time.Unix(row.want, 0).UTC(), s.calls[0][0].IssuedBefore)
			})
		})
	}
}

// A SET whose times are in the future locks nobody out for longer when it comes again.
func TestFutureAgain(t *testing.T) {
	for name, claims := range map[string]func(now time.Time) members{
		"S8 event_timestamp": func(now time.Time) members {
			return members{"events": event(ssf.SessionRevoked, `{"event_timestamp":`+seconds(now.Add(24*time.Hour))+`}`)}
		},
		"S8 toe": func(now time.Time) members { return members{"toe": seconds(now.Add(24 * time.Hour))} },
		"S8 iat": func(now time.Time) members { return members{"iat": seconds(now.Add(5 * time.Minute))} },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				list, err := revocation.New(revocation.Config{MaxLifetime: 24 * time.Hour})
				require.NoError(t, err)
				s := newScene(t, func(c *ssf.Config) { c.Revoke = list.Revoke })
				set := s.set(claims(time.Now()))
				s.accepted(s.push(set), ssf.Applied)
				first := list.Entries()
				time.Sleep(time.Hour)
				s.accepted(s.push(set), ssf.Replayed)
				assert.Equal(t, first[0].IssuedBefore, list.Entries()[0].IssuedBefore)
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, nil)
		set := s.set(members{"iat": seconds(time.Now().Add(time.Hour))})
		s.unavailable(s.push(set))
		assert.Empty(t, s.calls)
		assert.ErrorContains(t, s.last().Err, "in the future")
		time.Sleep(55 * time.Minute)
		s.accepted(s.push(set), ssf.Applied)
	})
}

func TestReplays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, nil)
		first, second := s.set(nil), s.set(members{"jti": `"set-2"`})
		s.accepted(s.push(first), ssf.Applied)
		time.Sleep(time.Hour)
		s.accepted(s.push(first), ssf.Replayed)
		s.accepted(s.push(second), ssf.Applied)
		s.accepted(s.push(second), ssf.Replayed)
		require.Len(t, s.calls, 4)
		assert.Equal(t, s.calls[0], s.calls[1], "S8 the same again, an hour later")

		for i := range 1023 { // with the second, as many as are remembered
			s.accepted(s.push(s.set(members{"jti": text(fmt.Sprint("more-", i))})), ssf.Applied)
		}
		s.accepted(s.push(second), ssf.Replayed)
		s.accepted(s.push(first), ssf.Applied)
		assert.Equal(t, s.calls[0], s.calls[len(s.calls)-1], "S8 the same, though forgotten")

		s.accepted(s.push(s.set(members{"jti": `"v"`, "events": event(stream+"verification", `{}`)})), ssf.Verification)
		s.accepted(s.push(s.set(members{"jti": `"v"`, "events": event(stream+"verification", `{}`)})), ssf.Verification)
	})
}

// What failed before is no replay.
func TestReplayAfterFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, nil)
		set := s.set(nil)
		s.failure = revocation.ErrFull
		s.unavailable(s.push(set))
		s.failure = nil
		s.accepted(s.push(set), ssf.Applied)
	})
}
