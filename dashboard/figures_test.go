package dashboard

import (
	"fmt"
	"html"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"zhiban/dashboard/report"
	"zhiban/schemas"
)

func TestEveryFigureOfTheCatalogueHasItsPlace(t *testing.T) {
	shown := codesOf(divisionGroups)
	// What is still to come is told by what is overdue of it.
	elsewhere := []schemas.IndicatorCode{schemas.ShiftsAwaited, schemas.NotificationsOpen, schemas.SubsidiesTimed, schemas.SubsidiesAwaited}
	for _, ind := range schemas.Indicators.All() {
		if slices.Contains(shown, ind.Code) == slices.Contains(elsewhere, ind.Code) {
			t.Errorf("%s: on the page %t", ind.Code, slices.Contains(shown, ind.Code))
		}
	}
	for i, code := range shown {
		if slices.Contains(shown[:i], code) {
			t.Errorf("%s is asked for twice", code)
		}
	}
}

func TestKeyFiguresAreThoseOfTheCatalogueAndOpenToTheirPostings(t *testing.T) {
	f := newFake()
	_, _, body := get(t, newServer(t, f), "/divisions/220100?month=2026-10")
	q := report.Query{Division: "220100", From: schemas.Date(2026, 10, 1), To: schemas.Date(2026, 10, 31), Indicators: codesOf(divisionGroups)}
	st, err := f.Statistics(t.Context(), report.ProvinceWide, q)
	if err != nil {
		t.Fatal(err)
	}
	values := st.ValuesOf(st.Rows[0])
	open := 0
	for _, g := range divisionGroups {
		for _, k := range g.figures {
			row := regexp.MustCompile(`(?s)<tr data-code="` + string(k.code) + `">.*?</tr>`).FindString(body)
			cell := regexp.MustCompile(`<td class="value">(?:<a href="([^"]*)"[^>]*>)?([^<]*)`).FindStringSubmatch(row)
			want := phrases(chinese).amount(k.code, zero(k.code, values[k.code])).Text
			if cell == nil || cell[2] != want {
				t.Errorf("%s: %q, want %s", k.code, cell, want)
				continue
			}
			if values.Of(k.code) == 0 {
				continue
			}
			open++
			if address := html.UnescapeString(cell[1]); !strings.HasPrefix(address, "/details?") || !strings.Contains(address, "indicator="+string(k.code)+"&") {
				t.Errorf("%s opens %q", k.code, address)
			}
		}
	}
	if open < 30 {
		t.Errorf("only %d figures are not 0: the test shows little", open)
	}
	for _, want := range []string{
		fmt.Sprintf("n＝%s<", number(values.Of(schemas.FeedbackCount))),
		fmt.Sprintf("%s／%s<", number(values.Of(schemas.InspectionsMet)), number(values.Of(schemas.Inspections))),
		fmt.Sprintf("占提出书面意见 %s<", phrases(chinese).share(values.Of(schemas.OpinionsAdopted), values.Of(schemas.Opinions))),
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not say %s", want)
		}
	}
}

func TestAMeanOfFewHasNoPlaceInTheListOfLawyers(t *testing.T) {
	code, _, body := get(t, newServer(t, newFake()), "/lawyers?division=220100&year=2026&sort=satisfaction")
	if code != http.StatusOK {
		t.Fatal(code)
	}
	column := 5 + slices.Index(lawyerColumns, schemas.Satisfaction)
	_, body, _ = strings.Cut(body, "<tbody>")
	placed, unplaced := 0, 0
	for _, row := range regexp.MustCompile(`(?s)<tr>.*?</tr>`).FindAllString(body, -1) {
		cells := regexp.MustCompile(`(?s)<t[dh][^>]*>(.*?)</t[dh]>`).FindAllStringSubmatch(row, -1)
		var n int
		if m := regexp.MustCompile(`n＝(\d+)`).FindStringSubmatch(cells[column][1]); m != nil {
			_, _ = fmt.Sscan(m[1], &n)
		}
		switch hasPlace := cells[0][1] != "—"; {
		case hasPlace != (n >= report.LeastBase):
			t.Errorf("place %s by %d opinions", cells[0][1], n)
		case hasPlace && unplaced > 0:
			t.Errorf("place %s comes after those without a place", cells[0][1])
		case hasPlace:
			placed++
		default:
			unplaced++
		}
	}
	if placed == 0 || unplaced == 0 {
		t.Errorf("%d with a place, %d without: the test shows nothing", placed, unplaced)
	}
}

func TestTrainingIsListedInHours(t *testing.T) {
	ind, err := schemas.Indicators.Lookup(schemas.TrainingHours)
	if err != nil {
		t.Fatal(err)
	}
	for minutes, want := range map[int64]string{20: "0.33", 90: "1.5", 240: "4", -90: "-1.5", 0: "0"} {
		if got := posted(ind, minutes); got != want {
			t.Errorf("%d minutes are listed as %s, want %s", minutes, got, want)
		}
	}
}
