package report

import (
	"context"
	"time"

	"zhiban/schemas"
)

// Figure is a cell of a document: a number, or the reason why there is none.
type Figure struct {
	Value  float64
	Status FigureStatus
}

// FigureStatus says whether a cell holds a number.
type FigureStatus uint8

// Forms print these as the number (0 is "none"), X and N.
const (
	Known         FigureStatus = iota
	NotAvailable               // X: a ratio over nothing, or a time of which nothing is held
	NotApplicable              // N: the duty did not exist yet
)

// DivisionMonth is a division's monthly return (值班律师工作统计表（月）).
type DivisionMonth struct {
	Division schemas.Division
	Unit     string // 填报单位
	Month    schemas.Month
	Due      schemas.Day // last day for reporting upward
	Form     string      // version of the form's rows
	AsOf     time.Time
	Cut      Cut
	Groups   []FormGroup

	// Of a prefecture or the province: one row for each child, and the whole,
	// which is counted anew (persons of several children are one person).
	ChildIndicators []schemas.Indicator
	Children        []FormChild
	Total           []Figure
}

// FormGroup is a block of lines under one heading.
type FormGroup struct {
	Title schemas.Text
	Lines []FormLine
}

// FormLine is one indicator, or the part of it with one dimension value.
type FormLine struct {
	Indicator schemas.Indicator
	Part      schemas.Text // empty for the whole
	Month     Figure       // 本月
	Year      Figure       // 本年累计
	LastYear  Figure       // 上年同月
}

// FormChild is a child division's month, in the order of ChildIndicators. Own
// is the division's own stations (市本级).
type FormChild struct {
	Division schemas.Division
	Own      bool
	Figures  []Figure
}

// DivisionMonth gathers the monthly return of division. All its figures are of
// one cut; zero asOf is now.
func (w *Warehouse) DivisionMonth(ctx context.Context, scope Scope, division schemas.DivisionCode, month schemas.Month, asOf time.Time) (DivisionMonth, error) {
	return DivisionMonth{}, errUnbuilt
}
