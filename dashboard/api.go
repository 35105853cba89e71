package dashboard

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humamux"
	"github.com/gorilla/mux"

	"zhiban/dashboard/export"
	"zhiban/dashboard/report"
	"zhiban/schemas"
)

// Asked are the parameters of statistics and postings, for the description of
// the API. They are read by [queryReader], which finds every problem at once.
type Asked struct {
	Division    string `query:"division" doc:"division code; all that one may see when left out" example:"220100"`
	From        string `query:"from" doc:"first day; the first of to's month when left out" example:"2026-01-01"`
	To          string `query:"to" doc:"last day, inclusive; the day of as_of when left out" example:"2026-10-31"`
	Indicator   string `query:"indicator" doc:"comma-separated codes of /api/v1/indicators" example:"consultations,shifts"`
	AsOf        string `query:"as_of" doc:"RFC 3339, or a day for its end: the figures as they were in the books then; now when left out" example:"2026-03-20"`
	View        string `query:"view" doc:"then: each day under the divisions of that day (default); now: all under today's" example:"then"`
	Station     string `query:"station" doc:"comma-separated station codes" example:"220182-court"`
	StationKind string `query:"station_kind" doc:"comma-separated: court, procuratorate, detention_centre"`
	Lawyer      string `query:"lawyer" doc:"comma-separated licences of 17 digits"`
	Firm        string `query:"firm" doc:"comma-separated firms"`
	Mode        string `query:"mode" doc:"comma-separated: onsite, phone, online"`
	Channel     string `query:"channel" doc:"comma-separated: visit, phone, online, in_custody"`
	PersonRole  string `query:"person_role" doc:"comma-separated: suspect, defendant, relative, other"`
	Organ       string `query:"organ" doc:"comma-separated: police, state_security, procuratorate, court"`

	rawQuery
}

// rawQuery keeps the query string as it came.
type rawQuery struct {
	values url.Values
	home   schemas.DivisionCode
}

// Resolve is called by huma before the handler.
func (q *rawQuery) Resolve(ctx huma.Context) []error {
	u := ctx.URL()
	q.values, q.home = u.Query(), report.Home(scopeOf(ctx.Context()))
	return nil
}

func (q *rawQuery) reader() *queryReader { return &queryReader{values: q.values, home: q.home} }

type statisticsInput struct {
	By      string `query:"by" doc:"comma-separated: division (the children of the division), county (where it reports), day, month, quarter, year, or any filter" example:"division,month"`
	Compare string `query:"compare" doc:"comma-separated: yoy (the same days of the year before), mom (the period before), ytd (the year so far); days that are not over yet are left out"`
	Asked
}

type body[T any] struct {
	Body T
}

// operations adds the API to a router and returns its description.
func (s *Server) operations(r *mux.Router) *huma.OpenAPI {
	config := huma.DefaultConfig("zhiban 值班律师工作站统计分析平台", "1")
	config.Info.Description = "Figures of the duty lawyers' stations of Jilin, with the postings and events behind each. Times are RFC 3339; days are of Asia/Shanghai."
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "/api/openapi", "", ""
	config.CreateHooks = nil // no $schema links in answers
	api := humamux.New(r, config)

	get := func(path, id, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: http.MethodGet, Path: path, Summary: summary, SkipValidateParams: true,
			Errors: []int{http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusServiceUnavailable}}
	}
	huma.Register(api, get("/api/v1/indicators", "indicators", "What every figure means"), s.indicators)
	huma.Register(api, get("/api/v1/statistics", "statistics", "Figures, split and filtered"), s.statistics)
	s.postingOperations(api, get)
	huma.Register(api, get("/api/v1/quality", "quality", "What is wrong with the records: late entries, wrong times, what does not fit together"), s.quality)
	huma.Register(api, get("/api/v1/events/{id}", "event", "An event with its place in the log, its case and its postings"), s.eventByID)
	huma.Register(api, huma.Operation{OperationID: "effective-events", Method: http.MethodPost, Path: "/api/v1/effective-events", SkipValidateParams: true,
		Summary: "Those of some events that count, as they count now", Errors: []int{http.StatusUnprocessableEntity, http.StatusServiceUnavailable}}, s.effectiveEvents)
	huma.Register(api, get("/api/v1/effective-events", "effective-events-of", "Events of a station or division that count, as they count now"), s.effectiveEventsOf)
	huma.Register(api, get("/api/v1/open-cases", "open-cases", "The cases of a station that wait for their next step"), s.openCases)
	huma.Register(api, get("/api/v1/status", "status", "How far the projection has come"), s.status)
	huma.Register(api, get("/api/v1/verifications", "verifications", "The last 50 verifications: independent recounts of the log"), s.verifications)
	huma.Register(api, get("/api/v1/verifications/latest", "verification", "The last verification whole: what differs, what is damaged, by which events"), s.verification)
	huma.Register(api, get("/api/v1/lawyers", "lawyers", "Lawyers posted by the centres of a division"), s.lawyers)
	huma.Register(api, get("/api/v1/stations", "stations", "Stations that report to a division"), s.stations)
	for _, path := range []string{"/api/v1/lawyers/{licence}/record.xlsx", "/api/v1/lawyers/{licence}/record"} {
		huma.Register(api, file(get(path, "record"+suffix(path), "A lawyer's year as a workbook"), export.XLSX), s.record)
	}
	s.returnOperations(api, get)
	s.auditOperations(api, get)
	huma.Register(api, file(get("/api/v1/slides", "slides", "The slides of a division's joint meeting"), export.PPTX), s.deck)
	describeIngest(api.OpenAPI())
	return api.OpenAPI()
}

// suffix tells the two addresses of a file apart in the description.
func suffix(path string) string {
	if path[len(path)-5:] == ".xlsx" {
		return "-xlsx"
	}
	return ""
}

// indicatorRow is an indicator with the day since which it counts.
type indicatorRow struct {
	schemas.Indicator
	Effective string `json:"effective,omitempty" doc:"first day of the duty, when it came after the 2018 rules"`
}

type indicatorList struct {
	Indicators []indicatorRow `json:"indicators"`
}

func (s *Server) indicators(ctx context.Context, in *struct{ rawQuery }) (*body[indicatorList], error) {
	if err := in.reader().err(); err != nil {
		return nil, s.apiError(ctx, err)
	}
	var out indicatorList
	for _, ind := range schemas.Indicators.All() {
		row := indicatorRow{Indicator: ind}
		if ind.Effective != 0 {
			row.Effective = ind.Effective.String()
		}
		out.Indicators = append(out.Indicators, row)
	}
	return &body[indicatorList]{out}, nil
}

// answer is what GET /api/v1/statistics gives.
type answer struct {
	Cut        report.Cut              `json:"cut" doc:"by partition, the offset of the first event that is not counted"`
	AsOf       time.Time               `json:"as_of"`
	Division   schemas.DivisionCode    `json:"division"`
	From       schemas.Day             `json:"from"`
	To         schemas.Day             `json:"to"`
	View       schemas.DivisionView    `json:"view"`
	By         []report.Dimension      `json:"by"`
	Indicators []schemas.IndicatorCode `json:"indicators"`
	Unfinished bool                    `json:"unfinished,omitempty" doc:"only the days so far are counted, for they are compared"`
	Compared   []comparedWith          `json:"compared,omitempty"`
	Rows       answerRows              `json:"rows"`
}

// comparedWith says which days figures are compared with.
type comparedWith struct {
	With report.Comparison `json:"with" doc:"yoy, mom or ytd"`
	From schemas.Day       `json:"from"`
	To   schemas.Day       `json:"to"`
}

// answerRows are objects whose members are the dimensions asked for and then
// the indicators, in the order of the question, and then for each comparison an
// object of the indicators compared. A figure that is not available is null.
type answerRows struct {
	by         []report.Dimension
	indicators []schemas.IndicatorCode
	with       []report.Comparison
	rows       []report.Row
	beside     []map[report.Comparison][]report.Beside
}

// compared is a figure of the period compared with.
type compared struct {
	Value      *float64 `json:"value"`
	Difference *float64 `json:"difference"`
	Change     *float64 `json:"change"`
}

// MarshalJSON writes the rows.
func (a answerRows) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('[')
	for i, row := range a.rows {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('{')
		sep := ""
		member := func(name string, value any) error {
			v, err := json.Marshal(value)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			b.WriteString(sep + strconv.Quote(name) + ":")
			b.Write(v)
			sep = ","
			return nil
		}
		for k, d := range a.by {
			if err := member(string(d), row.Key[k]); err != nil {
				return nil, err
			}
		}
		for k, code := range a.indicators {
			if err := member(string(code), row.Values[k]); err != nil {
				return nil, err
			}
		}
		for _, with := range a.with {
			figures := map[schemas.IndicatorCode]any{}
			for k, code := range a.indicators {
				beside := a.beside[i][with][k]
				if figures[code] = beside.Value; with != report.YearToDate {
					figures[code] = compared(beside)
				}
			}
			if err := member(string(with), figures); err != nil {
				return nil, err
			}
		}
		b.WriteByte('}')
	}
	b.WriteByte(']')
	return b.Bytes(), nil
}

// Schema describes the rows in the API's description.
func (answerRows) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeArray, Description: "one object for each combination of dimension values that has postings",
		Items: &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Description: "the dimensions asked for as strings, then the indicators as numbers, or null when not available; then yoy and mom with value, difference and change (0.25: a quarter more) of each indicator, and ytd with its value"}}
}

func (s *Server) statistics(ctx context.Context, in *statisticsInput) (*body[answer], error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	r := in.reader()
	q := r.query(s.now())
	q.By = r.by()
	with := r.comparisons()
	if err := r.err(); err != nil {
		return nil, s.apiError(ctx, err)
	}
	st, err := report.ReadCompared(ctx, s.read, scopeOf(ctx), q, with, dayAsked(q.AsOf, s.now()))
	if err != nil {
		return nil, s.apiError(ctx, fmt.Errorf("statistics: %w", unavailable(err)))
	}
	out := answer{Cut: st.Cut, AsOf: st.AsOf.In(schemas.Shanghai), Division: q.Division, From: q.From, To: st.Query.To, View: q.View,
		By: notNil(q.By), Indicators: q.Indicators, Unfinished: st.Unfinished, Rows: answerRows{q.By, q.Indicators, with, st.Rows, st.Beside}}
	for _, c := range with {
		out.Compared = append(out.Compared, comparedWith{c, st.Ranges[c].From, st.Ranges[c].To})
	}
	return &body[answer]{out}, nil
}

func notNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func (s *Server) quality(ctx context.Context, in *struct {
	Division string `query:"division" doc:"division code; all that one may see when left out" example:"220100"`
	From     string `query:"from" doc:"first day; the first of to's month when left out" example:"2026-01-01"`
	To       string `query:"to" doc:"last day, inclusive; the day of as_of when left out" example:"2026-10-31"`
	AsOf     string `query:"as_of" doc:"RFC 3339, or a day for its end; now when left out"`
	View     string `query:"view" doc:"then: each day under the divisions of that day (default); now: all under today's" example:"then"`
	Finding  string `query:"finding" doc:"code of the finding to list; none when left out" example:"late_entry"`
	Offset   string `query:"offset" doc:"how many to leave out; 0 when left out"`
	Limit    string `query:"limit" doc:"at most 100; 100 when left out"`
	rawQuery
}) (*body[report.Quality], error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	r := in.reader()
	q := report.Query{Division: r.division(), AsOf: r.moment(), View: schemas.DivisionView(r.choice("view", string(schemas.ViewThen), string(schemas.ViewNow)))}
	r.span(&q, s.now())
	finding := r.finding()
	offset, limit := r.number("offset", 0, 0, maxQualityOffset), r.number("limit", maxFindings, 1, maxFindings)
	if err := r.err(); err != nil {
		return nil, s.apiError(ctx, err)
	}
	found, err := s.read.Quality(ctx, scopeOf(ctx), q, finding, offset, limit)
	if err != nil {
		return nil, s.apiError(ctx, fmt.Errorf("quality of records: %w", unavailable(err)))
	}
	return &body[report.Quality]{found}, nil
}

// maxFindings bounds a page of findings.
const maxFindings = 100

func (s *Server) eventByID(ctx context.Context, in *struct {
	ID string `path:"id" format:"uuid"`
	rawQuery
}) (*body[report.EventDetail], error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	r := in.reader()
	id := r.event("id", in.ID)
	if err := r.err(); err != nil {
		return nil, s.apiError(ctx, err)
	}
	d, err := s.event(ctx, scopeOf(ctx), id)
	if err != nil {
		return nil, s.apiError(ctx, err)
	}
	return &body[report.EventDetail]{d}, nil
}

// effectiveEvents answers importers, who have to know what is held already. It
// changes nothing; the ids are too many for an address.
func (s *Server) effectiveEvents(ctx context.Context, in *struct {
	Body struct {
		IDs []schemas.EventID `json:"ids" maxItems:"1000" doc:"ids of events"`
	}
	rawQuery
}) (*body[report.EffectiveEvents], error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	if err := in.reader().err(); err != nil {
		return nil, s.apiError(ctx, err)
	}
	found, err := s.read.EffectiveEvents(ctx, scopeOf(ctx), in.Body.IDs)
	if err != nil {
		return nil, s.apiError(ctx, fmt.Errorf("events as they count: %w", unavailable(err)))
	}
	return withoutTheirTexts(found), nil
}

func withoutTheirTexts(found report.EffectiveEvents) *body[report.EffectiveEvents] {
	for i := range found.Events {
		found.Events[i].Data = withoutTexts(found.Events[i].Data)
	}
	return &body[report.EffectiveEvents]{found}
}

func (s *Server) effectiveEventsOf(ctx context.Context, in *struct {
	Source string `query:"source" doc:"station or division code" example:"220182-court"`
	Case   string `query:"case" doc:"kind of case" example:"shift"`
	From   string `query:"from" doc:"first day" example:"2026-09-01"`
	To     string `query:"to" doc:"last day, inclusive" example:"2026-09-30"`
	rawQuery
}) (*body[report.EffectiveEvents], error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	r := in.reader()
	source, kind := r.source(), schemas.CaseKind(r.choice("case", codes[string](schemas.Catalogue.Cases())...))
	from, to := r.day("from"), r.day("to")
	if in.Case == "" {
		r.problem("case", "", "problem.choice", codes[string](schemas.Catalogue.Cases()))
	}
	for param, day := range map[string]string{"from": in.From, "to": in.To} {
		if day == "" {
			r.problem(param, "", "problem.day")
		}
	}
	if from > to {
		r.problem("from", from.String(), "problem.order", from.String(), to.String())
	}
	if err := r.err(); err != nil {
		return nil, s.apiError(ctx, err)
	}
	found, err := s.read.EffectiveEventsOf(ctx, scopeOf(ctx), source, kind, from, to)
	if err != nil {
		return nil, s.apiError(ctx, fmt.Errorf("events of %s as they count: %w", source.Key(), unavailable(err)))
	}
	return withoutTheirTexts(found), nil
}

func (s *Server) openCases(ctx context.Context, in *struct {
	Station string `query:"station" doc:"station code" example:"220182-court"`
	rawQuery
}) (*body[report.OpenCases], error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	r := in.reader()
	station := r.station()
	if err := r.err(); err != nil {
		return nil, s.apiError(ctx, err)
	}
	open, err := s.read.OpenCases(ctx, scopeOf(ctx), station)
	if err != nil {
		return nil, s.apiError(ctx, fmt.Errorf("open cases of %s: %w", station, unavailable(err)))
	}
	return &body[report.OpenCases]{open}, nil
}

func (s *Server) status(ctx context.Context, in *struct{ rawQuery }) (*body[report.Status], error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	if err := in.reader().err(); err != nil {
		return nil, s.apiError(ctx, err)
	}
	st, err := s.read.Status(ctx)
	if err != nil {
		return nil, s.apiError(ctx, fmt.Errorf("state of the projection: %w", unavailable(err)))
	}
	if !report.Whole(scopeOf(ctx)) { // who sees a part of the province is not told how much there is of it
		st.Events, st.Parked = 0, 0
	}
	return &body[report.Status]{st}, nil
}

type ofDivision struct {
	Division string `query:"division" doc:"division code; all that one may see when left out" example:"220100"`
	AsOf     string `query:"as_of" doc:"RFC 3339, or a day for its end; now when left out"`
	rawQuery
}

type lawyerList struct {
	Lawyers []report.Lawyer `json:"lawyers"`
}

func (s *Server) lawyers(ctx context.Context, in *ofDivision) (*body[lawyerList], error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	r := in.reader()
	division, asOf := r.division(), r.moment()
	if err := r.err(); err != nil {
		return nil, s.apiError(ctx, err)
	}
	all, err := s.read.Lawyers(ctx, scopeOf(ctx), division, asOf)
	if err != nil {
		return nil, s.apiError(ctx, fmt.Errorf("lawyers of %s: %w", division, unavailable(err)))
	}
	return &body[lawyerList]{lawyerList{notNil(all)}}, nil
}

type stationList struct {
	Stations []report.Station `json:"stations"`
}

func (s *Server) stations(ctx context.Context, in *ofDivision) (*body[stationList], error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	r := in.reader()
	division, asOf := r.division(), r.moment()
	if err := r.err(); err != nil {
		return nil, s.apiError(ctx, err)
	}
	all, err := s.read.Stations(ctx, scopeOf(ctx), division, asOf)
	if err != nil {
		return nil, s.apiError(ctx, fmt.Errorf("stations of %s: %w", division, unavailable(err)))
	}
	return &body[stationList]{stationList{notNil(all)}}, nil
}

// download is a file as an answer.
type download struct {
	Type        string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Cache       string `header:"Cache-Control"`
	Body        []byte
}

// file describes an operation that answers with a file.
func file(op huma.Operation, contentType string) huma.Operation {
	op.Responses = map[string]*huma.Response{strconv.Itoa(http.StatusOK): {
		Description: "the file", Content: map[string]*huma.MediaType{contentType: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}},
	}}
	return op
}

// newDownload names a file in the way every browser reads (RFC 6266).
func newDownload(f export.File) *download {
	return &download{Type: f.Type, Disposition: mime.FormatMediaType("attachment", map[string]string{"filename": f.Name}), Cache: "private, no-cache", Body: f.Body}
}

func (s *Server) record(ctx context.Context, in *struct {
	Licence string `path:"licence" doc:"17 digits"`
	Year    string `query:"year" doc:"this year when left out" example:"2026"`
	AsOf    string `query:"as_of" doc:"RFC 3339, or a day for its end; now when left out"`
	Format  string `query:"format" doc:"xlsx"`
	rawQuery
}) (*download, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	r := in.reader()
	asOf := r.moment()
	year := r.year("year", dayAsked(asOf, s.now()).Year())
	r.choice("format", "xlsx")
	if err := r.err(); err != nil {
		return nil, s.apiError(ctx, err)
	}
	licence, err := schemas.ParseLicence(in.Licence)
	if err != nil {
		return nil, s.apiError(ctx, schemas.Errorf(schemas.NotFound, "%w", err))
	}
	y, err := s.read.LawyerYear(ctx, scopeOf(ctx), licence.String(), year, asOf)
	if err != nil {
		return nil, s.apiError(ctx, fmt.Errorf("year %d of lawyer %s: %w", year, licence, unavailable(err)))
	}
	f, err := export.LawyerRecord(y)
	if err != nil {
		return nil, s.apiError(ctx, fmt.Errorf("record of lawyer %s: %w", licence, err))
	}
	return newDownload(f), nil
}

func (s *Server) deck(ctx context.Context, in *struct {
	Division string `query:"division" doc:"division code; all that one may see when left out"`
	Period   string `query:"period" doc:"month such as 2026-10; the last that is over when left out"`
	AsOf     string `query:"as_of" doc:"RFC 3339, or a day for its end; now when left out"`
	rawQuery
}) (*download, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	r := in.reader()
	division, asOf, month := r.division(), r.moment(), r.month("period")
	if month == 0 {
		month = dayAsked(asOf, s.now()).Month() - 1
	}
	if err := r.err(); err != nil {
		return nil, s.apiError(ctx, err)
	}
	d, err := s.read.Deck(ctx, scopeOf(ctx), division, month, asOf)
	if err != nil {
		return nil, s.apiError(ctx, fmt.Errorf("slides of %s for %s: %w", division, month, unavailable(err)))
	}
	slides, err := s.slides()
	if err != nil {
		return nil, s.apiError(ctx, err)
	}
	f, err := slides.Deck(ctx, d)
	if err != nil {
		return nil, s.apiError(ctx, fmt.Errorf("slides of %s for %s: %w", division, month, err))
	}
	return newDownload(f), nil
}
