package dashboard

import (
	"context"

	"zhiban/dashboard/report"
)

func (f *fake) EachPosting(ctx context.Context, scope report.Scope, q report.Query, do func(report.Posting) error) error {
	return eachOf(ctx, f, scope, q, do)
}

func (s *script) EachPosting(ctx context.Context, scope report.Scope, q report.Query, do func(report.Posting) error) error {
	return eachOf(ctx, s, scope, q, do)
}

// eachOf reads all pages of a reader's postings.
func eachOf(ctx context.Context, r Reader, scope report.Scope, q report.Query, do func(report.Posting) error) error {
	for offset := 0; ; {
		page, err := r.Postings(ctx, scope, q, offset, 1000)
		if err != nil {
			return err
		}
		for _, p := range page.Postings {
			if err := do(p); err != nil {
				return err
			}
		}
		if offset = page.Next; offset == 0 {
			return nil
		}
	}
}
