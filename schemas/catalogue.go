package schemas

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	json2 "github.com/go-json-experiment/json"
)

// EventType is a row of the catalogue. Rows are only ever added: a type that
// was in the log once stays readable.
type EventType struct {
	Name    string   // zhiban.<case>.<verb>.v<version>
	Case    CaseKind // the case the event belongs to
	Verb    string
	Title   Text
	next    *EventType // the version after this one
	Clause  string     // of the 2018 rules; empty for corrections and voids
	Payload func() any
	// Feeds are the figures that an event of this type can change, now or with
	// the other events of its case, as far as they are posted; see
	// [EventType.Figures]. A test of the postings keeps the list complete.
	Feeds []IndicatorCode
	// Upcast turns the payload into that of the type's next version; nil for the
	// newest. What counts is written for newest payloads alone, and events of
	// every version that was ever shipped stay readable.
	Upcast  func(any) any
	Example string // data, as JSON
}

// Meta tells whether the type speaks about another event (corrected, voided).
func (t *EventType) Meta() bool { return t.Verb == "corrected" || t.Verb == "voided" }

// Figures are all that an event of the type can change, in the order of
// [Indicators]: those that it feeds, and those that are computed from them.
func (t *EventType) Figures() []Indicator {
	var out []Indicator
	for _, ind := range Indicators.rows {
		if slices.ContainsFunc(Indicators.Posted(ind.Code), func(c IndicatorCode) bool { return slices.Contains(t.Feeds, c) }) {
			out = append(out, ind)
		}
	}
	return out
}

// Read reads data and brings it up to the newest version of its type. The result
// is a pointer to that version's payload struct.
func (t *EventType) Read(data json.RawMessage) (any, error) {
	p, err := t.Decode(data)
	if err != nil {
		return nil, err
	}
	return t.upcast(p), nil
}

func (t *EventType) upcast(payload any) any {
	if t.Upcast == nil {
		return payload
	}
	return t.next.upcast(t.Upcast(payload))
}

// Decode reads data into the type's own payload struct; the result is a pointer
// to it.
func (t *EventType) Decode(data json.RawMessage) (any, error) {
	p := t.Payload()
	if err := json2.Unmarshal(data, p); err != nil {
		return nil, fmt.Errorf("data of %s: %w", t.Name, err)
	}
	return p, nil
}

// fits decodes data that was written for some type of the case but perhaps not
// for this one: no unknown field, no required text missing. It may be of any
// version of the type.
func (t *EventType) fits(data json.RawMessage) (any, bool) {
	for _, version := range Catalogue.Of(t.Case) {
		if version.Verb == t.Verb {
			if p, ok := version.fitsExactly(data); ok {
				return p, true
			}
		}
	}
	return nil, false
}

func (t *EventType) fitsExactly(data json.RawMessage) (any, bool) {
	p := t.Payload()
	if json2.Unmarshal(data, p, json2.RejectUnknownMembers(true)) != nil {
		return nil, false
	}
	v := reflect.ValueOf(p).Elem()
	for i := range v.NumField() {
		optional := strings.Contains(v.Type().Field(i).Tag.Get("json"), ",omitempty")
		if f := v.Field(i); f.Kind() == reflect.String && !optional && f.Len() == 0 {
			return nil, false
		}
	}
	return t.upcast(p), true
}

// EventCatalogue is the table of event types.
type EventCatalogue struct {
	types  []*EventType
	byName map[string]*EventType
}

// Catalogue lists every event type there is.
var Catalogue = newCatalogue([]*EventType{
	{
		Name: "zhiban.station.founded.v1", Title: Text{"工作站设立", "Station founded"}, Clause: "三(一)1",
		Payload: func() any { return new(StationFounded) },
		Feeds:   []IndicatorCode{Stations},
		Example: `{"code":"220182-court","kind":"court","name":"榆树市法律援助中心驻人民法院值班律师工作站","location":"220182","reporting":"220182","hosts":["榆树市人民法院"]}`,
	}, {
		Name: "zhiban.lawyer.enrolled.v1", Title: Text{"值班律师入册", "Lawyer enrolled"}, Clause: "三(二)1",
		Payload: func() any { return new(LawyerEnrolled) },
		Feeds:   []IndicatorCode{Lawyers},
		Example: `{"licence":"12201201810123456","name":"王立新","kind":"private","firm":"吉林正阳律师事务所","division":"220182"}`,
	}, {
		Name: "zhiban.shift.signed_in.v1", Title: Text{"值班签到", "Signed in"}, Clause: "三(四)2(3)",
		Payload: func() any { return new(ShiftSignedIn) },
		Feeds:   []IndicatorCode{Shifts, DutyMinutes, ShiftsOpen, ShiftsAwaited},
		Example: `{"lawyer":"12201201810123456","mode":"onsite","badge":true}`,
	}, {
		Name: "zhiban.shift.signed_out.v1", Title: Text{"值班签退", "Signed out"}, Clause: "三(四)2(3)",
		Payload: func() any { return new(ShiftSignedOut) },
		Feeds:   []IndicatorCode{DutyMinutes, ShiftsOpen},
		Example: `{"lawyer":"12201201810123456"}`,
	}, {
		Name: "zhiban.consultation.recorded.v1", Title: Text{"咨询登记", "Consultation recorded"}, Clause: "三(四)2(2)",
		Payload: func() any { return new(ConsultationRecorded) },
		Feeds:   []IndicatorCode{Consultations, ConsultationsGuided, ConsultationsUnsigned, ConsultationsLateEntry, WithDefender},
		Example: `{"lawyer":"12201201810123456","channel":"visit","person":"p-7f3a91","person_role":"relative","shift":"0199a1c2-7d1e-7c3a-9a55-0242ac120001","topics":["取保候审条件"],"minutes":25,"guided_to_apply":true,"has_defender":false}`,
	}, {
		Name: "zhiban.consultation.signed.v1", Title: Text{"咨询台账签字", "Consultation signed"}, Clause: "三(四)2(3)",
		Payload: func() any { return new(ConsultationSigned) },
		Feeds:   []IndicatorCode{ConsultationsUnsigned},
		Example: `{"lawyer":"12201201810123456"}`,
	}, {
		Name: "zhiban.application.received.v1", Title: Text{"接收法律援助申请", "Application received"}, Clause: "三(三)1(2)",
		Payload: func() any { return new(ApplicationReceived) },
		Feeds:   []IndicatorCode{ApplicationsReceived, TransferDue24h, TransferMet24h, AssignmentConflicts},
		Example: `{"lawyer":"12201201810123456","person":"p-7f3a91","in_custody":true}`,
	}, {
		Name: "zhiban.application.transferred.v1", Title: Text{"转交法律援助申请", "Application transferred"}, Clause: "三(三)1(2)",
		Payload: func() any { return new(ApplicationTransferred) },
		Feeds:   []IndicatorCode{ApplicationsTransferred, TransferMet24h},
		Example: `{"lawyer":"12201201810123456","agency":"榆树市法律援助中心"}`,
	}, {
		Name: "zhiban.notification.triggered.v1", Title: Text{"告知义务发生", "Notification duty arose"}, Clause: "三(三)4(4)",
		Payload: func() any { return new(NotificationTriggered) },
		Feeds:   []IndicatorCode{NotificationsDue, NotificationsOnTime, NotificationsLate, NotificationsUnevid, NotificationsOpen},
		Example: `{"organ":"court","trigger":"accepted","person":"p-7f3a91","in_custody":false}`,
	}, {
		Name: "zhiban.notification.given.v1", Title: Text{"履行告知", "Notification given"}, Clause: "三(三)4(4)",
		Payload: func() any { return new(NotificationGiven) },
		Feeds:   []IndicatorCode{NotificationsOnTime, NotificationsLate, NotificationsUnevid, NotificationsOpen},
		Example: `{"form":"written","evidence":"送达回执 2026-118"}`,
	}, {
		Name: "zhiban.station.noticed.v1", Title: Text{"工作站公示", "Notice posted"}, Clause: "三(一)2",
		Payload: func() any { return new(StationNoticed) },
		Example: `{"items":["scope","cases","duties","lawyers","contact"]}`,
	}, {
		Name: "zhiban.station.inspected.v1", Title: Text{"工作站检查", "Station inspected"}, Clause: "三(一)3",
		Payload: func() any { return new(StationInspected) },
		Feeds:   []IndicatorCode{Inspections, InspectionsMet},
		Example: `{"met":["room","desks","computer","printer","signs","plate","material"],"missing":["copier"]}`,
	}, {
		Name: "zhiban.station.closed.v1", Title: Text{"工作站撤销", "Station closed"}, Clause: "三(一)1",
		Payload: func() any { return new(StationClosed) },
		Feeds:   []IndicatorCode{Stations},
		Example: `{"reason":"机构合并"}`,
	}, {
		Name: "zhiban.lawyer.moved.v1", Title: Text{"值班律师变更执业机构", "Lawyer moved"}, Clause: "三(二)1",
		Payload: func() any { return new(LawyerMoved) },
		Example: `{"firm":"吉林大华律师事务所","division":"220182"}`,
	}, {
		Name: "zhiban.lawyer.left.v1", Title: Text{"值班律师退出名册", "Lawyer left"}, Clause: "三(二)3",
		Payload: func() any { return new(LawyerLeft) },
		Feeds:   []IndicatorCode{Lawyers},
		Example: `{"reason":"转所"}`,
	}, {
		Name: "zhiban.roster.delivered.v1", Title: Text{"名册送达", "Roster delivered"}, Clause: "三(二)3",
		Payload: func() any { return new(RosterDelivered) },
		Feeds:   []IndicatorCode{RosterDeliveries},
		Example: `{"version":"2026-1","receivers":["court","procuratorate","police"]}`,
	}, {
		Name: "zhiban.contact.appointed.v1", Title: Text{"确定负责人、联络员", "Contact appointed"}, Clause: "三(二)2",
		Payload: func() any { return new(ContactAppointed) },
		Example: `{"organ":"court","role":"responsible","from":"2026-01-01"}`,
	}, {
		Name: "zhiban.shift.planned.v1", Title: Text{"值班排班", "Shift planned"}, Clause: "三(四)1(1)",
		Payload: func() any { return new(ShiftPlanned) },
		Feeds:   []IndicatorCode{ShiftsPlanned, ShiftsAwaited},
		Example: `{"lawyer":"12201201810123456","mode":"onsite","start":"2026-09-01T08:30:00+08:00","end":"2026-09-01T16:30:00+08:00"}`,
	}, {
		Name: "zhiban.application.guided.v1", Title: Text{"引导申请法律援助", "Guided to apply"}, Clause: "三(三)1(2)",
		Payload: func() any { return new(ApplicationGuided) },
		Example: `{"lawyer":"12201201810123456","person":"p-7f3a91"}`,
	}, {
		Name: "zhiban.application.registered.v1", Title: Text{"登记法律援助申请", "Application registered"}, Clause: "三(三)1(2)",
		Payload: func() any { return new(ApplicationRegistered) },
		Example: `{"lawyer":"12201201810123456","number":"2026-118"}`,
	}, {
		Name: "zhiban.application.reviewed.v1", Title: Text{"初审法律援助申请", "Application reviewed"}, Clause: "三(三)1(2)",
		Payload: func() any { return new(ApplicationReviewed) },
		Example: `{"lawyer":"12201201810123456","outcome":"fit"}`,
	}, {
		Name: "zhiban.application.decided.v1", Title: Text{"法律援助审查决定", "Application decided"}, Clause: "三(三)1(2)",
		Payload: func() any { return new(ApplicationDecided) },
		Feeds:   []IndicatorCode{ApplicationsAccepted, ApplicationsRefused},
		Example: `{"agency":"榆树市法律援助中心","outcome":"accepted"}`,
	}, {
		Name: "zhiban.application.assigned.v1", Title: Text{"指派律师", "Lawyer assigned"}, Clause: "三(四)1(2)",
		Payload: func() any { return new(ApplicationAssigned) },
		Feeds:   []IndicatorCode{AssignmentConflicts},
		Example: `{"lawyer":"12201201511234567"}`,
	}, {
		Name: "zhiban.assistance.given.v1", Title: Text{"提供法律帮助", "Assistance given"}, Clause: "三(三)1(3)",
		Payload: func() any { return new(AssistanceGiven) },
		Feeds:   []IndicatorCode{PleaAssistance, Affidavits, ClientMeetings, FileReviews, Opinions, OpinionsAdopted, CoerciveMeasures, ProcedureChoices, OutsideDuties},
		Example: `{"lawyer":"12201201810123456","person":"p-7f3a91","service":"plea_leniency","stage":"prosecution"}`,
	}, {
		Name: "zhiban.complaint.lodged.v1", Title: Text{"代理申诉、控告", "Complaint lodged"}, Clause: "三(三)1(4)",
		Payload: func() any { return new(ComplaintLodged) },
		Feeds:   []IndicatorCode{Complaints, OutsideDuties},
		Example: `{"lawyer":"12201201810123456","person":"p-7f3a91","ground":"illegal_evidence"}`,
	}, {
		Name: "zhiban.complaint.closed.v1", Title: Text{"申诉、控告办结", "Complaint closed"}, Clause: "三(三)1(4)",
		Payload: func() any { return new(ComplaintClosed) },
		Example: `{"outcome":"upheld"}`,
	}, {
		Name: "zhiban.activity.held.v1", Title: Text{"法治宣传及其他工作", "Activity held"}, Clause: "三(三)1(5)–(6)",
		Payload: func() any { return new(ActivityHeld) },
		Feeds:   []IndicatorCode{PublicitySessions, OtherTasks},
		Example: `{"kind":"publicity","audience":60}`,
	}, {
		Name: "zhiban.help_request.received.v1", Title: Text{"收到法律帮助请求", "Help request received"}, Clause: "三(三)4(4)",
		Payload: func() any { return new(HelpRequestReceived) },
		Feeds:   []IndicatorCode{HelpRequests, HelpRequestsDispatched, ResponseMinutes},
		Example: `{"organ":"police","person":"p-7f3a91"}`,
	}, {
		Name: "zhiban.help_request.dispatched.v1", Title: Text{"通知值班律师", "Duty lawyer called"}, Clause: "三(三)4(4)",
		Payload: func() any { return new(HelpRequestDispatched) },
		Feeds:   []IndicatorCode{HelpRequestsDispatched, ResponseMinutes},
		Example: `{"lawyer":"12201201810123456"}`,
	}, {
		Name: "zhiban.supervision.issued.v1", Title: Text{"提出纠正意见", "Correction opinion issued"}, Clause: "三(三)4(5)",
		Payload: func() any { return new(SupervisionIssued) },
		Feeds:   []IndicatorCode{CorrectionsIssued, CorrectionsAnswered, CorrectionsClosed},
		Example: `{"organ":"police","kind":"not_notified"}`,
	}, {
		Name: "zhiban.supervision.answered.v1", Title: Text{"答复纠正意见", "Correction opinion answered"}, Clause: "三(三)4(5)",
		Payload: func() any { return new(SupervisionAnswered) },
		Feeds:   []IndicatorCode{CorrectionsAnswered},
		Example: `{"accepted":true}`,
	}, {
		Name: "zhiban.supervision.closed.v1", Title: Text{"纠正意见办结", "Correction opinion closed"}, Clause: "三(三)4(5)",
		Payload: func() any { return new(SupervisionClosed) },
		Feeds:   []IndicatorCode{CorrectionsClosed},
		Example: `{"outcome":"corrected"}`,
	}, {
		Name: "zhiban.subsidy.accrued.v1", Title: Text{"应发值班补贴", "Subsidy accrued"}, Clause: "三(四)3(1)",
		Payload: func() any { return new(SubsidyAccrued) },
		Feeds:   []IndicatorCode{SubsidiesDue, SubsidiesTimed, SubsidiesAwaited},
		Example: `{"lawyer":"12201201810123456","fen":20000,"payable_by":"2026-10-31"}`,
	}, {
		Name: "zhiban.subsidy.paid.v1", Title: Text{"发放值班补贴", "Subsidy paid"}, Clause: "三(四)3(1)",
		Payload: func() any { return new(SubsidyPaid) },
		Feeds:   []IndicatorCode{SubsidiesPaid, SubsidiesAwaited},
		Example: `{"lawyer":"12201201810123456","fen":20000}`,
	}, {
		Name: "zhiban.training.attended.v1", Title: Text{"参加业务培训", "Training attended"}, Clause: "三(四)3(3)",
		Payload: func() any { return new(TrainingAttended) },
		Feeds:   []IndicatorCode{TrainingHours},
		Example: `{"lawyer":"12201201810123456","topic":"procedure","hours":4}`,
		Upcast: func(p any) any {
			v1 := p.(*TrainingAttended)
			return &TrainingAttendedV2{Lawyer: v1.Lawyer, Topic: v1.Topic, Minutes: int(math.Round(v1.Hours * 60))}
		},
	}, {
		Name: "zhiban.training.attended.v2", Title: Text{"参加业务培训", "Training attended"}, Clause: "三(四)3(3)",
		Payload: func() any { return new(TrainingAttendedV2) },
		Feeds:   []IndicatorCode{TrainingHours},
		Example: `{"lawyer":"12201201810123456","topic":"procedure","minutes":240,"organiser":"长春市律师协会"}`,
	}, {
		Name: "zhiban.conduct.reported.v1", Title: Text{"反映违纪线索", "Conduct reported"}, Clause: "三(四)4(1)",
		Payload: func() any { return new(ConductReported) },
		Example: `{"lawyer":"12201201810123456","code":"soliciting"}`,
	}, {
		Name: "zhiban.conduct.decided.v1", Title: Text{"作出违纪处理决定", "Conduct decided"}, Clause: "三(四)4(1)",
		Payload: func() any { return new(ConductDecided) },
		Feeds:   []IndicatorCode{ConductUpheld},
		Example: `{"lawyer":"12201201810123456","outcome":"dismissed","document":"长律协〔2026〕8号"}`,
	}, {
		Name: "zhiban.honour.awarded.v1", Title: Text{"表彰", "Honour awarded"}, Clause: "三(四)4(2)",
		Payload: func() any { return new(HonourAwarded) },
		Feeds:   []IndicatorCode{Honours},
		Example: `{"lawyer":"12201201810123456","kind":"prefecture","document":"长司发〔2026〕15号"}`,
	}, {
		Name: "zhiban.feedback.given.v1", Title: Text{"征求意见", "Feedback given"}, Clause: "三(二)3",
		Payload: func() any { return new(FeedbackGiven) },
		Feeds:   []IndicatorCode{FeedbackCount, FeedbackScore},
		Example: `{"respondent":"person","score":5,"lawyer":"12201201810123456"}`,
	}, {
		Name: "zhiban.meeting.held.v1", Title: Text{"召开联席会议", "Joint meeting held"}, Clause: "四(二)",
		Payload: func() any { return new(MeetingHeld) },
		Feeds:   []IndicatorCode{JointMeetings},
		Example: `{"organs":["court","procuratorate","police","justice"],"agenda":"值班律师工作季度通报"}`,
	}, {
		Name: "zhiban.matter.reported.v1", Title: Text{"报告重大事项、突发事件", "Matter reported"}, Clause: "四(二)",
		Payload: func() any { return new(MatterReported) },
		Feeds:   []IndicatorCode{MattersReported, MattersOpen},
		Example: `{"kind":"incident"}`,
	}, {
		Name: "zhiban.matter.resolved.v1", Title: Text{"事项办结", "Matter resolved"}, Clause: "四(二)",
		Payload: func() any { return new(MatterResolved) },
		Feeds:   []IndicatorCode{MattersOpen},
		Example: `{"outcome":"rectified"}`,
	}, {
		Name: "zhiban.return.submitted.v1", Title: Text{"上报月报", "Return submitted"}, Clause: "三(三)4(3)",
		Payload: func() any { return new(ReturnSubmitted) },
		Example: `{"division":"220182","month":"2026-09","form":"2026-2","cut":{"0":5120},"figures":[{"cell":"consultations","month":86,"ytd":702,"last_year":"X"},{"cell":"transferred_within_24h","month":0.875,"ytd":0.9,"last_year":"X"}],` +
			`"file":"UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==","sha256":"8739c76e681f900923b900c9df0ef75cf421d39cabb54650c4b9ad19b6a76d85","filler":"李敏","overrides":[{"blocker":"consultations_unsigned","reason":"律师出差，台账下月补签"}]}`,
	}, {
		Name: "zhiban.return.returned.v1", Title: Text{"退回月报", "Return sent back"}, Clause: "三(三)4(3)",
		Payload: func() any { return new(ReturnReturned) },
		Example: `{"signer":"赵国华","reason":"看守所值班次数与签到簿不符"}`,
	}, {
		Name: "zhiban.return.accepted.v1", Title: Text{"接收月报", "Return accepted"}, Clause: "三(三)4(3)",
		Payload: func() any { return new(ReturnAccepted) },
		Example: `{"signer":"赵国华"}`,
	}, {
		Name: "zhiban.return.amended.v1", Title: Text{"月报更正", "Return amended"}, Clause: "三(三)4(3)",
		Payload: func() any { return new(ReturnAmended) },
		Example: `{"number":1,"signer":"赵国华","reason":"补录9月28日咨询一件","form":"2026-2","cut":{"0":6044},"changes":[{"cell":"consultations","column":"month","old":86,"new":87},{"cell":"consultations","column":"ytd","old":702,"new":703}],` +
			`"file":"UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==","sha256":"8739c76e681f900923b900c9df0ef75cf421d39cabb54650c4b9ad19b6a76d85"}`,
	},
})

// newCatalogue completes the rows and adds the two types that every case has,
// but for returns: what was frozen is amended, never corrected or voided.
func newCatalogue(rows []*EventType) *EventCatalogue {
	c := &EventCatalogue{byName: map[string]*EventType{}}
	for _, t := range rows {
		f := strings.Split(t.Name, ".")
		t.Case, t.Verb = CaseKind(f[1]), f[2]
		c.add(t)
	}
	for _, kind := range c.Cases() {
		if kind == CaseReturn {
			continue
		}
		facts := c.Of(kind)
		first := facts[0]
		var feeds []IndicatorCode // what changes a fact can change all that facts can
		for _, t := range facts {
			for _, code := range t.Feeds {
				if !slices.Contains(feeds, code) {
					feeds = append(feeds, code)
				}
			}
		}
		c.add(&EventType{
			Name: "zhiban." + string(kind) + ".corrected.v1", Case: kind, Verb: "corrected", Title: Text{"更正", "Corrected"},
			Payload: func() any { return new(Corrected) },
			Feeds:   feeds,
			Example: `{"target":"0199a1c2-7d1e-7c3a-9a55-0242ac120002","data":` + first.Example + `,"reason":"登记有误"}`,
		})
		c.add(&EventType{
			Name: "zhiban." + string(kind) + ".voided.v1", Case: kind, Verb: "voided", Title: Text{"作废", "Voided"},
			Payload: func() any { return new(Voided) },
			Feeds:   feeds,
			Example: `{"target":"0199a1c2-7d1e-7c3a-9a55-0242ac120002","reason":"重复登记"}`,
		})
	}
	for _, t := range c.types {
		if t.Upcast == nil {
			continue
		}
		stem, version, _ := strings.Cut(t.Name, ".v")
		n, err := strconv.Atoi(version)
		next, ok := c.byName[stem+".v"+strconv.Itoa(n+1)]
		if err != nil || !ok {
			panic(t.Name + " has an upcaster but no next version") // a wrong row; any test run shows it
		}
		t.next = next
	}
	return c
}

func (c *EventCatalogue) add(t *EventType) {
	c.types = append(c.types, t)
	c.byName[t.Name] = t
}

// Lookup finds a type by its full name.
func (c *EventCatalogue) Lookup(name string) (*EventType, error) {
	if t, ok := c.byName[name]; ok {
		return t, nil
	}
	return nil, fmt.Errorf("type %q is not in the catalogue; GET /api/v1/event-types lists the types", name)
}

// All lists every type in the catalogue's order.
func (c *EventCatalogue) All() []*EventType { return slices.Clone(c.types) }

// Of lists the types of one case kind.
func (c *EventCatalogue) Of(kind CaseKind) []*EventType {
	var out []*EventType
	for _, t := range c.types {
		if t.Case == kind {
			out = append(out, t)
		}
	}
	return out
}

// Cases lists the case kinds that have types.
func (c *EventCatalogue) Cases() []CaseKind {
	var out []CaseKind
	for _, t := range c.types {
		if !slices.Contains(out, t.Case) {
			out = append(out, t.Case)
		}
	}
	return out
}
