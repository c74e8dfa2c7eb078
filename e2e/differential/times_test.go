package differential

import "fmt"

// timeKinds are about exp, nbf and iat. What depends on the clock is ten
// minutes off.
func timeKinds() []kind {
	var all []kind
	at := func(name, label string, value func(now int64) string) {
		all = append(all, drafted("time: "+name+" "+label, func(g *generator, d *draft) {
			d.claims = d.claims.set(name, value(g.now))
		}))
	}
	fixed := func(name string, values ...string) {
		for _, value := range values {
			at(name, value, func(int64) string { return value })
		}
	}
	odd := []string{
		"null", "true", `""`, `"soon"`, "[]", "{}", "[9999999999]", "-1", "-9999999999", "1e300", "-1e300", "1e999",
		"253402300800", "9223372036854775807", "9223372036854775808", "18446744073709551616", "9999999999999",
	}
	for _, name := range []string{"exp", "nbf", "iat"} {
		fixed(name, odd...)
		at(name, "a string", func(now int64) string { return quoted(number(now + 3600)) })
		at(name, "a date", func(int64) string { return `"2099-01-01T00:00:00Z"` })
		for _, text := range []string{"NaN", "Infinity", "0x7fffffff", "+9999999999", "09999999999"} {
			at(name, "as "+text, func(int64) string { return text })
		}
	}
	later := func(now int64) string { return number(now + 600) }
	past := func(now int64) string { return number(now - 600) }
	for _, r := range []struct {
		name, label string
		value       func(now int64) string
	}{
		{"exp", "past", past},
		{"exp", "past, a fraction", func(now int64) string { return fmt.Sprintf("%d.75", now-600) }},
		{"exp", "past, an exponent", func(now int64) string { return fmt.Sprintf("%de-2", (now-600)*100) }},
		{"exp", "in milliseconds, past", func(now int64) string { return number((now - 600) * 1000) }},
		{"exp", "a fraction", func(now int64) string { return fmt.Sprintf("%d.75", now+3600) }},
		{"exp", "a point and a zero", func(now int64) string { return fmt.Sprintf("%d.0", now+3600) }},
		{"exp", "an exponent", func(now int64) string { return fmt.Sprintf("%de0", now+3600) }},
		{"exp", "a negative exponent", func(now int64) string { return fmt.Sprintf("%d00E-2", now+3600) }},
		{"exp", "a positive exponent", func(now int64) string { return fmt.Sprintf("%d.%03de+3", (now+3600)/1000, (now+3600)%1000) }},
		{"nbf", "later", later},
		{"nbf", "later, a fraction", func(now int64) string { return fmt.Sprintf("%d.5", now+600) }},
		{"nbf", "past, a fraction", func(now int64) string { return fmt.Sprintf("%d.5", now-600) }},
		{"nbf", "past, an exponent", func(now int64) string { return fmt.Sprintf("%de0", now-600) }},
		{"iat", "later", later},
		{"iat", "past, a fraction", func(now int64) string { return fmt.Sprintf("%d.5", now-600) }},
	} {
		at(r.name, r.label, r.value)
	}
	fixed("exp", "0", "-0", "-0.0", "1", "1e-999", "253402300799")
	fixed("nbf", "0", "-0", "1e-999")
	fixed("iat", "0", "-0")
	return append(all, drafted("time: exp missing", func(_ *generator, d *draft) { d.claims = d.claims.without("exp") }))
}
