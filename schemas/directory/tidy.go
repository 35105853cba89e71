package directory

import (
	"context"
	"time"
)

// expiryRecord is what all that expires has.
type expiryRecord struct {
	Expires time.Time `json:"expires"`
}

// Tidy removes sessions and links that have expired, at once and then every hour,
// until ctx ends. What cannot be removed waits for the next hour; it fails when
// the table is not followed any more.
func (d *Directory) Tidy(ctx context.Context) error {
	hours := time.NewTicker(time.Hour)
	defer hours.Stop()
	for {
		err := d.tidy(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil && d.table.Err() != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-hours.C:
		}
	}
}

func (d *Directory) tidy(ctx context.Context) error {
	if err := d.table.Err(); err != nil {
		return err
	}
	now := d.now()
	var gone []string
	var err error
	for _, prefix := range []string{sessionKey, endedKey, linkKey, attemptsKey} {
		d.table.Each(prefix, func(key string, value []byte) bool {
			var r struct {
				expiryRecord
				attemptsRecord
			}
			if err = decode(key, value, &r); err != nil {
				return false
			}
			if prefix == attemptsKey {
				r.Expires = r.Last.Add(forgetting)
			}
			if !now.Before(r.Expires) {
				gone = append(gone, key)
			}
			return true
		})
	}
	for _, key := range gone {
		if err := d.remove(ctx, key); err != nil || ctx.Err() != nil {
			return err
		}
	}
	return err
}
