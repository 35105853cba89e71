package verify

import (
	"context"
	"fmt"
	"strings"

	"zhiban/schemas/warehouse"
)

// spanSums are what a table has of a span of the log, and a fingerprint of that.
type spanSums struct{ n, fingerprint int64 }

type spanAt struct {
	partition int
	span      int64
}

// checkRollUps compares the tables of sums, from which most figures are answered,
// with the postings, and the table of moments with the events. The span that the
// cut divides is compared unless the projection has gone on in it: until it has
// left it, figures of the cut are answered from the postings there.
func (v *verifier) checkRollUps(ctx context.Context) error {
	for _, sums := range v.cfg.Tables.Sums() {
		keys := append([]string{"indicator"}, sums.Columns...)
		of := func(span, month, from string) string {
			return `SELECT kafka_partition, toInt64(` + span + `) AS s, toInt64(sum(quantity)), sum(quantity * reinterpretAsInt64(cityHash64(` + month + `, ` + strings.Join(keys, ", ") + `))) FROM ` + from + ` GROUP BY kafka_partition, s`
		}
		if err := v.compareSpans(ctx, sums.Table, warehouse.SpanOffsets, of("span", "month", sums.Table), of(warehouse.SpanOf(warehouse.SpanOffsets), "toStartOfMonth(day)", v.cfg.Tables.Postings()+` WHERE `+v.below)); err != nil {
			return err
		}
	}
	of := func(span, newest, last, from string) string {
		return `SELECT kafka_partition, toInt64(` + span + `) AS s, toInt64(max(` + last + `)), toUnixTimestamp64Milli(max(` + newest + `)) FROM ` + from + ` GROUP BY kafka_partition, s`
	}
	moments := v.cfg.Tables.Moments()
	return v.compareSpans(ctx, moments, warehouse.MomentOffsets, of("span", "newest", "last", moments), of(warehouse.SpanOf(warehouse.MomentOffsets), "recorded", "kafka_offset", v.cfg.Tables.Events()+` WHERE `+v.below))
}

// compareSpans compares what two queries say of each span below the cut.
func (v *verifier) compareSpans(ctx context.Context, table string, offsets int64, rolled, made string) error {
	has, err := v.spanSums(ctx, table, rolled)
	if err != nil {
		return err
	}
	should, err := v.spanSums(ctx, table, made)
	if err != nil {
		return err
	}
	above, err := v.above(ctx)
	if err != nil {
		return err
	}
	wrong := map[int][2]int64{} // first and last span
	look := func(at spanAt) {
		head := v.Cut[at.partition]
		inside := (at.span+1)*offsets <= head || at.span*offsets < head && !above[at.partition]
		if !inside || has[at] == should[at] {
			return
		}
		if w, ok := wrong[at.partition]; ok {
			wrong[at.partition] = [2]int64{min(w[0], at.span), max(w[1], at.span)}
		} else {
			wrong[at.partition] = [2]int64{at.span, at.span}
		}
	}
	for at := range has {
		look(at)
	}
	for at := range should {
		look(at)
	}
	for partition, spans := range wrong {
		v.damage(Damage{Partition: partition, First: spans[0] * offsets, Last: min((spans[1]+1)*offsets, v.Cut[partition]) - 1, What: text(
			fmt.Sprintf("汇总表 %s 与明细不符（重新启动 zhiban projector，即由明细重新汇总）", table),
			fmt.Sprintf("roll-up %s does not say what the rows do (restart zhiban projector, which makes it again of them)", table))})
	}
	return nil
}

func (v *verifier) spanSums(ctx context.Context, table, query string) (map[spanAt]spanSums, error) {
	rows, err := v.cfg.Conn.Query(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("compare roll-up %s: %w", table, err)
	}
	defer rows.Close()
	out := map[spanAt]spanSums{}
	for rows.Next() {
		var partition uint16
		var span int64
		var s spanSums
		if err := rows.Scan(&partition, &span, &s.n, &s.fingerprint); err != nil {
			return nil, fmt.Errorf("compare roll-up %s: %w", table, err)
		}
		if s != (spanSums{}) { // of which one may have rows and the other none
			out[spanAt{int(partition), span}] = s
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("compare roll-up %s: %w", table, err)
	}
	return out, nil
}

// above tells in which partitions events stand above the cut by now.
func (v *verifier) above(ctx context.Context) (map[int]bool, error) {
	rows, err := v.cfg.Conn.Query(ctx, `SELECT kafka_partition, toInt64(max(kafka_offset)) FROM `+v.cfg.Tables.Events()+` GROUP BY kafka_partition`)
	if err != nil {
		return nil, fmt.Errorf("look for events above the cut: %w", err)
	}
	defer rows.Close()
	out := map[int]bool{}
	for rows.Next() {
		var partition uint16
		var last int64
		if err := rows.Scan(&partition, &last); err != nil {
			return nil, fmt.Errorf("look for events above the cut: %w", err)
		}
		out[int(partition)] = last >= v.Cut[int(partition)]
	}
	return out, rows.Err()
}
