package dashboard

import (
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"zhiban/dashboard/export"
	"zhiban/dashboard/report"
	"zhiban/schemas"
)

// The lines that a list of postings has: every one, or of each record what is
// left when its postings are set off against each other.
const (
	linesAll      = "all"
	linesStanding = "standing"
)

// postingsInput asks for a page of postings.
type postingsInput struct {
	Offset string `query:"offset" doc:"how many postings to leave out; 0 when left out"`
	Limit  string `query:"limit" doc:"at most 1000; 100 when left out"`
	Listed
	Asked
}

// postingsFileInput asks for all postings as a file.
type postingsFileInput struct {
	Listed
	Asked
}

// Listed are the parameters that lists of postings have and figures have not, for
// the description of the API.
type Listed struct {
	Lines   string `query:"lines" doc:"all: every posting (default); standing: of each record what is left when its postings are set off against each other"`
	Returns string `query:"returns" doc:"a month: divisions count where they report their returns of it, not by the tree" example:"2026-10"`
}

// elsewhere reads the month whose lines of reporting a list of postings follows:
// what stands behind a figure of a return.
func (s *Server) elsewhere(r *queryReader) map[schemas.DivisionCode]schemas.DivisionCode {
	if month := r.month("returns"); month != 0 {
		return s.read.ReturnRules().Elsewhere(month)
	}
	return nil
}

// maxPostings bounds a page of postings.
const maxPostings = 1000

// csvType is the media type of CSV.
const csvType = "text/csv; charset=utf-8"

// postingOperations adds the lists of postings to the API.
func (s *Server) postingOperations(api huma.API, get func(path, id, summary string) huma.Operation) {
	huma.Register(api, get("/api/v1/postings", "postings", "The postings behind a figure"), s.postings)
	huma.Register(api, file(get("/api/v1/postings.csv", "postings-csv", "All postings behind a figure as CSV"), csvType), s.postingsCSV)
	huma.Register(api, file(get("/api/v1/postings.xlsx", "postings-xlsx", "All postings behind a figure as a workbook"), export.XLSX), s.postingsXLSX)
}

func (s *Server) postings(ctx context.Context, in *postingsInput) (*body[report.PostingPage], error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	r := in.reader()
	q := r.query(s.now())
	q.Standing, q.Elsewhere = r.choice("lines", linesAll, linesStanding) == linesStanding, s.elsewhere(r)
	offset := r.number("offset", 0, 0, 1_000_000_000)
	limit := r.number("limit", 100, 1, maxPostings)
	if err := r.err(); err != nil {
		return nil, s.apiError(ctx, err)
	}
	found, err := s.read.Postings(ctx, scopeOf(ctx), q, offset, limit)
	if err != nil {
		return nil, s.apiError(ctx, fmt.Errorf("postings: %w", unavailable(err)))
	}
	found.Postings = notNil(found.Postings)
	return &body[report.PostingPage]{found}, nil
}

// postingsAsked reads the question for a file of postings, finds its cut and how
// many they are. What can go wrong is found here, before the file has begun.
func (s *Server) postingsAsked(ctx context.Context, in *postingsFileInput) (report.Query, int64, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	r := in.reader()
	q := r.query(s.now())
	q.Standing, q.Elsewhere = r.choice("lines", linesAll, linesStanding) == linesStanding, s.elsewhere(r)
	if err := r.err(); err != nil {
		return q, 0, err
	}
	if q.AsOf.IsZero() {
		q.AsOf = s.now() // of all that is read, so that nothing falls due meanwhile
	}
	found, err := s.read.Postings(ctx, scopeOf(ctx), q, 0, 1)
	if err != nil {
		return q, 0, fmt.Errorf("postings: %w", unavailable(err))
	}
	q.Cut = found.Cut
	return q, found.Total, nil
}

// streamed is a file that is sent while it is made. When that fails halfway the
// connection is cut, so that nobody takes a part for the whole.
func (s *Server) streamed(name, contentType string, write func(context.Context, io.Writer) error) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		ctx.SetHeader("Content-Type", contentType)
		ctx.SetHeader("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
		ctx.SetHeader("Cache-Control", "private, no-cache")
		if err := write(ctx.Context(), ctx.BodyWriter()); err != nil {
			s.logError(ctx.Context(), http.StatusInternalServerError, fmt.Errorf("%s: %w", name, err))
			panic(http.ErrAbortHandler)
		}
	}}
}

// fileName proposes a name for a file of postings.
func fileName(q report.Query, ext string) string {
	what := "多项指标"
	if len(q.Indicators) == 1 {
		if ind, err := schemas.Indicators.Lookup(q.Indicators[0]); err == nil {
			what = ind.Name.ZH
		}
	}
	return fmt.Sprintf("%s%s明细%s至%s.%s", schemas.Divisions.Name(q.Division), what, q.From, q.To, ext)
}

// postingsCSV is every posting behind a figure.
func (s *Server) postingsCSV(ctx context.Context, in *postingsFileInput) (*huma.StreamResponse, error) {
	q, _, err := s.postingsAsked(ctx, in)
	if err != nil {
		return nil, s.apiError(ctx, err)
	}
	return s.streamed(fileName(q, "csv"), csvType, func(ctx context.Context, to io.Writer) error {
		w, err := export.NewCSV(to, "indicator", "day", "quantity", "division", "station", "lawyer", "mode", "channel", "person_role", "organ", "due", "event", "type", "time", "recorded", "partition", "offset")
		if err != nil {
			return err
		}
		if err := s.read.EachPosting(ctx, scopeOf(ctx), q, func(p report.Posting) error {
			return w.Row(string(p.Indicator), p.Day.String(), p.Quantity, string(p.Division), string(p.Station), p.Lawyer, p.Mode, p.Channel, p.PersonRole, p.Organ, p.Due,
				p.Event.String(), p.Type, clockSeconds(p.Time), clockSeconds(p.Recorded), p.Partition, p.Offset)
		}); err != nil {
			return err
		}
		return w.End()
	}), nil
}

// postingsXLSX is every posting behind a figure as a worksheet, with the names
// of stations and lawyers as of the moment asked for.
func (s *Server) postingsXLSX(ctx context.Context, in *postingsFileInput) (*huma.StreamResponse, error) {
	q, total, err := s.postingsAsked(ctx, in)
	if err != nil {
		return nil, s.apiError(ctx, err)
	}
	if total > export.MostPostings {
		return nil, s.apiError(ctx, schemas.Errorf(schemas.TooLarge, "%d postings are more than the %d that a worksheet holds; take the CSV, or ask for a shorter range", total, export.MostPostings))
	}
	names, err := s.postingNames(ctx, q.AsOf)
	if err != nil {
		return nil, s.apiError(ctx, err)
	}
	return s.streamed(fileName(q, "xlsx"), export.XLSX, func(ctx context.Context, to io.Writer) error {
		return export.Postings(to, total, names, func(do func(report.Posting) error) error {
			return s.read.EachPosting(ctx, scopeOf(ctx), q, do)
		})
	}), nil
}

func (s *Server) postingNames(ctx context.Context, asOf time.Time) (export.PostingNames, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	scope := scopeOf(ctx)
	names := export.PostingNames{Stations: map[string]string{}, Lawyers: map[string]string{}}
	stations, err := s.read.Stations(ctx, scope, report.Home(scope), asOf)
	if err != nil {
		return names, fmt.Errorf("names of stations: %w", unavailable(err))
	}
	for _, st := range stations {
		names.Stations[string(st.Code)] = st.Name
	}
	lawyers, err := s.read.Lawyers(ctx, scope, report.Home(scope), asOf)
	if err != nil {
		return names, fmt.Errorf("names of lawyers: %w", unavailable(err))
	}
	for _, l := range lawyers {
		names.Lawyers[l.Licence] = l.Name
	}
	return names, nil
}

// apiQuery is the query string of a page without what only pages know.
func apiQuery(values url.Values) string {
	q := url.Values{}
	for param := range values {
		if !slices.Contains([]string{"lang", "month", "figure", "offset"}, param) && values.Get(param) != "" {
			q.Set(param, values.Get(param))
		}
	}
	return q.Encode()
}
