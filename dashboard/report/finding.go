package report

import (
	"time"

	"zhiban/schemas"
)

// FindingCode names a kind of finding about what was recorded. Codes never
// change.
type FindingCode string

// The findings that no figure counts. Those that one does have its code.
const (
	LateEntry            FindingCode = "late_entry"
	AheadOfRecording     FindingCode = "ahead_of_recording"
	OutOfOrder           FindingCode = "out_of_order"
	WithoutFirst         FindingCode = "without_first"
	UnknownReference     FindingCode = "unknown_reference"
	UnknownTarget        FindingCode = "unknown_target"
	Repeated             FindingCode = "repeated"
	UnregisteredStations FindingCode = "unregistered_stations"
	UnregisteredLawyers  FindingCode = "unregistered_lawyers"
	ParkedEvents         FindingCode = "parked"
)

// FindingKind is a row of the table of findings: what it is called, what it
// means, and what a clerk does about it.
type FindingKind struct {
	Code    FindingCode  `json:"code"`
	Name    schemas.Text `json:"name"`
	Unit    schemas.Text `json:"unit"`
	Meaning schemas.Text `json:"meaning"`
	Advice  schemas.Text `json:"advice"`
	Clause  string       `json:"clause,omitempty"`
	// Indicator counts the finding, and its postings list it.
	Indicator schemas.IndicatorCode `json:"indicator,omitempty"`
}

var (
	records = schemas.Text{ZH: "条", EN: "records"}
	// counted are the findings that a figure counts, with what to do about each.
	counted = []struct {
		code   schemas.IndicatorCode
		advice schemas.Text
	}{
		{schemas.ShiftsOpen, schemas.Text{ZH: "请值班律师补签退。", EN: "Have the lawyer sign out."}},
		{schemas.ConsultationsUnsigned, schemas.Text{ZH: "请律师在台账上签字。", EN: "Have the lawyer sign the ledger."}},
		{schemas.NotificationsUnevid, schemas.Text{ZH: "请办案机关补交笔录或送达回执。", EN: "Ask the organ for the transcript or the receipt."}},
		{schemas.AssignmentConflicts, schemas.Text{ZH: "请法律援助机构改派其他律师。", EN: "Ask the legal aid centre to assign another lawyer."}},
		{"outside_duties", schemas.Text{ZH: "核对工作站类别和服务事项；登错的予以更正。", EN: "Check the station's kind and the service; correct what was entered wrongly."}},
		{"with_defender", schemas.Text{ZH: "告知当事人由辩护人提供帮助；登错的予以更正。", EN: "Point the person to the defender; correct what was entered wrongly."}},
	}
)

// FindingKinds is the table of findings in the order of pages.
func FindingKinds() []FindingKind {
	kinds := []FindingKind{
		{Code: LateEntry, Name: schemas.Text{ZH: "补录", EN: "Late entries"}, Unit: records, Clause: "三(四)2(2)",
			Meaning: schemas.Text{ZH: "发生24小时以后才登记的记录；排班和名册除外。", EN: "Recorded more than 24 hours after it happened; plans and registers aside."},
			Advice:  schemas.Text{ZH: "提醒工作站当场登记；内容无误的不必改。", EN: "Ask the station to record on the spot; what is right stays as it is."}},
		{Code: AheadOfRecording, Name: schemas.Text{ZH: "时间超前", EN: "Times ahead"}, Unit: records,
			Meaning: schemas.Text{ZH: "发生时间比登记时间晚10分钟以上，计入登记当日。", EN: "Said to have happened more than 10 minutes after it was recorded; on the day of recording."},
			Advice:  schemas.Text{ZH: "更正填错的时间，校准工作站的时钟。", EN: "Correct the time, and set the station's clock."}},
		{Code: OutOfOrder, Name: schemas.Text{ZH: "先后颠倒", EN: "Out of order"}, Unit: records,
			Meaning: schemas.Text{ZH: "签退早于签到、转交早于接收等，后一步早于前一步。", EN: "A later step stands before the first, such as a sign-out before its sign-in."},
			Advice:  schemas.Text{ZH: "打开记录，更正填错的时间。", EN: "Open the record and correct the time."}},
		{Code: WithoutFirst, Name: schemas.Text{ZH: "缺少前一步", EN: "Without a first step"}, Unit: records,
			Meaning: schemas.Text{ZH: "有签退而无签到、有签字而无咨询登记等。", EN: "A sign-out without a sign-in, a signature without a ledger line, and the like."},
			Advice:  schemas.Text{ZH: "补登前一步；登错的予以作废。", EN: "Enter the first step, or void what was entered wrongly."}},
		{Code: UnknownReference, Name: schemas.Text{ZH: "关联不存在", EN: "Unknown references"}, Unit: records,
			Meaning: schemas.Text{ZH: "所填班次或告知没有任何记录。", EN: "Names a shift or a notification of which there is no record."},
			Advice:  schemas.Text{ZH: "补登所缺的班次或告知，或更正编号。", EN: "Enter the shift or notification, or correct its id."}},
		{Code: UnknownTarget, Name: schemas.Text{ZH: "更正无对象", EN: "Corrections of nothing"}, Unit: records,
			Meaning: schemas.Text{ZH: "要更正或作废的记录不在本事项之中，未起作用。", EN: "Corrects or voids what its case does not hold, and so changes nothing."},
			Advice:  schemas.Text{ZH: "按正确的编号重新更正或作废，并作废这一条。", EN: "Correct or void again with the right id, and void this one."}},
		{Code: Repeated, Name: schemas.Text{ZH: "重复报送", EN: "Repeated"}, Unit: records,
			Meaning: schemas.Text{ZH: "同一记录在日志中不止一次，只计一次。", EN: "The log holds the same record more than once; it counts once."},
			Advice:  schemas.Text{ZH: "不影响数据；经常出现时请检查报送程序。", EN: "No figure is wrong; look at the sending program when it happens often."}},
		{Code: UnregisteredStations, Name: schemas.Text{ZH: "未登记工作站", EN: "Unregistered stations"}, Unit: schemas.Text{ZH: "个", EN: "stations"}, Clause: "三(一)1",
			Meaning: schemas.Text{ZH: "有数据而没有设立登记的工作站，按代码归入县区。", EN: "Stations with figures that were never founded; they report by their code."},
			Advice:  schemas.Text{ZH: "补登工作站设立，或更正代码。", EN: "Enter the founding, or correct the code."}},
		{Code: UnregisteredLawyers, Name: schemas.Text{ZH: "未入册律师", EN: "Lawyers not enrolled"}, Unit: schemas.Text{ZH: "人", EN: "lawyers"}, Clause: "三(二)1",
			Meaning: schemas.Text{ZH: "有数据而未列入值班律师名册的执业证号。", EN: "Licences with figures that are not on the roster."},
			Advice:  schemas.Text{ZH: "补登入册，或更正执业证号。", EN: "Enrol the lawyer, or correct the licence."}},
	}
	for _, c := range counted {
		ind, err := schemas.Indicators.Lookup(c.code)
		if err != nil {
			continue // not a figure of this version
		}
		kinds = append(kinds, FindingKind{Code: FindingCode(ind.Code), Name: ind.Name, Unit: ind.Unit, Meaning: ind.Definition, Advice: c.advice, Clause: ind.Clause, Indicator: ind.Code})
	}
	return append(kinds, FindingKind{Code: ParkedEvents, Name: schemas.Text{ZH: "待处理事件", EN: "Parked events"}, Unit: records,
		Meaning: schemas.Text{ZH: "无法读取而尚未入账的事件，为全平台之数。", EN: "Events that could not be read and are in no figure yet; of the whole platform."},
		Advice:  schemas.Text{ZH: "请系统管理员查明原因后重新处理。", EN: "Have the operator find the cause and replay them."}})
}

// Quality is what was found about the records of a division and a range of days.
// A finding belongs to the day of its event; where the time is what is wrong, to
// the day of recording, or of the step that it contradicts.
type Quality struct {
	Cut       Cut                  `json:"cut"`
	AsOf      time.Time            `json:"as_of"`
	Division  schemas.DivisionCode `json:"division"`
	From      schemas.Day          `json:"from"`
	To        schemas.Day          `json:"to"`
	View      schemas.DivisionView `json:"view"`
	Recorded  time.Time            `json:"recorded"`  // of the newest event in the cut; zero when there is none
	Projected time.Time            `json:"projected"` // when it came in
	Findings  []Finding            `json:"findings"`
	List      *FindingPage         `json:"list,omitempty"` // when one was asked for
}

// Finding is a kind of finding with how many there are.
type Finding struct {
	FindingKind
	Count int64 `json:"count"`
	// Divisions are the children of the division asked for that have any, by code;
	// a division's own stations are under its own code. Lawyers do not add up: one
	// may be on duty in several.
	Divisions []DivisionCount `json:"divisions"`
}

// DivisionCount is a part of a count.
type DivisionCount struct {
	Division schemas.DivisionCode `json:"division"`
	Count    int64                `json:"count"`
}

// Of is how many of the findings a division has.
func (f Finding) Of(division schemas.DivisionCode) int64 {
	for _, d := range f.Divisions {
		if d.Division == division {
			return d.Count
		}
	}
	return 0
}

// FindingPage is a part of the list of one finding, last recorded first. What an
// indicator counts is listed by its postings instead. Next is the offset of the
// following page, 0 at the end.
type FindingPage struct {
	Finding FindingCode   `json:"finding"`
	Next    int           `json:"next,omitempty"`
	Items   []FindingItem `json:"items"`
}

// FindingItem is one finding with the event to open; of an unregistered station
// or lawyer it is one that has figures.
type FindingItem struct {
	Event     schemas.EventID      `json:"event"`
	Type      string               `json:"type"`
	Time      time.Time            `json:"time"` // as it counts
	Recorded  time.Time            `json:"recorded"`
	Division  schemas.DivisionCode `json:"division"` // where it reports
	Station   schemas.StationCode  `json:"station,omitempty"`
	Lawyer    string               `json:"lawyer,omitempty"`
	Against   *Contradicted        `json:"against,omitempty"`
	Missing   string               `json:"missing,omitempty"`   // type of the first step that is not there
	Reference string               `json:"reference,omitempty"` // case that there is no record of, <case>/<id>
	Target    string               `json:"target,omitempty"`    // event that is not in the case
	Places    int                  `json:"places,omitempty"`    // how often the log holds it
}

// Contradicted is the first step that a later one stands before.
type Contradicted struct {
	Event schemas.EventID `json:"event"`
	Type  string          `json:"type"`
	Time  time.Time       `json:"time"`
}
