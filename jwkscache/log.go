package jwkscache

import "log/slog"

// log calls f with the logger. A logger that panics must not take the process
// down either.
func (c *Cache) log(f func(*slog.Logger)) {
	defer func() { _ = recover() }()
	f(c.cfg.Logger.With(c.source.attr()))
}

func (c *Cache) logChange(old, fresh *snapshot, err error, broke, healed bool) {
	if broke {
		meanwhile := "the last known keys stay in use"
		if !c.serves(old) {
			meanwhile = "there are none to use, so tokens of this issuer get 503"
		}
		c.log(func(log *slog.Logger) {
			log.Warn("jwtguard: fetching the issuer's keys fails; "+meanwhile, "error", err)
		})
	}
	c.log(func(log *slog.Logger) { c.source.logChange(log, fresh) })
	if healed {
		c.log(func(log *slog.Logger) { log.Info("jwtguard: fetching the issuer's keys works again") })
	}
	if err == nil && len(fresh.keys.skipped) > 0 && (old == nil || old.keys != fresh.keys) {
		skipped := fresh.keys.skipped
		c.log(func(log *slog.Logger) {
			log.Warn("jwtguard: some of the issuer's keys are not used, or are odd", "count", len(skipped), "first", skipped[:min(len(skipped), 5)])
		})
	}
}
