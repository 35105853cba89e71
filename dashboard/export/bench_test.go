package export

import "testing"

func BenchmarkLawyerRecord(b *testing.B) {
	y := sampleLawyer()
	for b.Loop() {
		if _, err := LawyerRecord(y); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCountyMonth(b *testing.B) {
	m := sampleMonth("220182")
	for b.Loop() {
		if _, err := CountyMonth(m); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDeck(b *testing.B) {
	s, d := slides(b), sampleDeck("220100")
	for b.Loop() {
		if _, err := s.Deck(b.Context(), d); err != nil {
			b.Fatal(err)
		}
	}
}
