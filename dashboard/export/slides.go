package export

import (
	"context"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/dop251/goja"

	"zhiban/dashboard/report"
)

// Slides makes decks (PPTX) with pptxgenjs in a JavaScript engine. It is safe
// for concurrent use; at most two decks are made at once, more wait for their
// turn or for the end of their context.
//
// Both programs, pptxgen.js of the built assets and our deck.js, are compiled
// once. Each deck has an engine of its own with nothing in it but them, a fixed
// clock and a fixed source of random numbers, so the same figures give the same
// bytes. Figures and texts enter as one JSON value; nothing a person wrote is
// ever part of a script.
type Slides struct {
	library, deck *goja.Program
	turns         chan struct{}
}

const (
	deckTurns   = 2
	deckTimeout = 20 * time.Second // of the script, once it has its turn
	deckStack   = 2000             // calls deep
)

//go:embed deck.js
var deckScript string

// NewSlides compiles the programs. assets is the folder of built assets, with
// pptxgen.js in it.
func NewSlides(assets fs.FS) (*Slides, error) {
	source, err := fs.ReadFile(assets, "pptxgen.js")
	if err != nil {
		return nil, fmt.Errorf("slides need pptxgen.js, which is not built: run `make assets`: %w", err)
	}
	s := &Slides{turns: make(chan struct{}, deckTurns)}
	if s.library, err = goja.Compile("pptxgen.js", string(source), false); err != nil {
		return nil, fmt.Errorf("compile pptxgen.js: %w", err)
	}
	if s.deck, err = goja.Compile("deck.js", deckScript, true); err != nil {
		return nil, fmt.Errorf("compile deck.js: %w", err)
	}
	return s, nil
}

// Deck writes the slides of a joint meeting: title; key figures with 环比 and
// 同比; the parts of the division as chart and table; kinds of station; months
// of this year and last; channels, roles and modes; compliance with the duties
// to notify; help requests and supervision; lawyers and firms; meetings, matters
// and inspections; definitions with the cut. Charts are native: their figures can be edited.
func (s *Slides) Deck(ctx context.Context, d report.Deck) (File, error) {
	data, err := json.Marshal(newDeckData(d))
	if err != nil {
		return File{}, fmt.Errorf("figures of the slides: %w", err)
	}
	select {
	case s.turns <- struct{}{}:
		defer func() { <-s.turns }()
	case <-ctx.Done():
		return File{}, fmt.Errorf("wait for the turn to make slides: %w", ctx.Err())
	}
	body, err := s.run(ctx, string(data), d.AsOf)
	if err != nil {
		return File{}, fmt.Errorf("make the slides of %s %s: %w", d.Division.Name, d.Month, err)
	}
	return File{fileName(".pptx", "值班律师工作情况", d.Division.Name, d.Month.String()), PPTX, body}, nil
}

func (s *Slides) run(ctx context.Context, data string, at time.Time) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, deckTimeout)
	defer cancel()
	vm := goja.New()
	vm.SetMaxCallStackSize(deckStack)
	vm.SetTimeSource(func() time.Time { return at })
	vm.SetRandSource(func() float64 { return 0.5 })
	stop := context.AfterFunc(ctx, func() { vm.Interrupt(ctx.Err()) })
	defer stop()

	archive := newArchiver(at)
	if err := errors.Join(
		vm.Set("self", vm.GlobalObject()),
		vm.Set("console", map[string]any{"log": ignore, "warn": ignore, "error": ignore}),
		vm.Set("setTimeout", func(f func()) { f() }),
		vm.Set("__goZip", archive.zip),
	); err != nil {
		return nil, err
	}
	for _, p := range []*goja.Program{s.library, s.deck} {
		if _, err := vm.RunProgram(p); err != nil {
			return nil, scriptError(ctx, err)
		}
	}
	value, err := vm.RunString("JSON")
	if err != nil {
		return nil, scriptError(ctx, err)
	}
	parse, _ := goja.AssertFunction(value.ToObject(vm).Get("parse"))
	build, ok := goja.AssertFunction(vm.Get("buildDeck"))
	if !ok {
		return nil, errors.New("deck.js does not define buildDeck")
	}
	figures, err := parse(goja.Undefined(), vm.ToValue(data))
	if err != nil {
		return nil, scriptError(ctx, err)
	}
	result, err := build(goja.Undefined(), figures)
	if err != nil {
		return nil, scriptError(ctx, err)
	}
	promise, ok := result.Export().(*goja.Promise)
	if !ok {
		return nil, errors.New("deck.js did not return a promise")
	}
	switch promise.State() {
	case goja.PromiseStateRejected:
		return nil, fmt.Errorf("deck.js: %s", promise.Result())
	case goja.PromiseStatePending:
		return nil, errors.New("deck.js did not finish")
	}
	return base64.StdEncoding.DecodeString(promise.Result().String())
}

func ignore(...any) {}

// scriptError prefers the end of the context, which interrupts the script, to
// what the script says about it.
func scriptError(ctx context.Context, err error) error {
	if cause := ctx.Err(); cause != nil {
		return cause
	}
	return err
}
