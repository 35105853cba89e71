package schemas

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
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
	Clause  string // of the 2018 rules; empty for corrections and voids
	Payload func() any
	Example string // data, as JSON
}

// Meta tells whether the type speaks about another event (corrected, voided).
func (t *EventType) Meta() bool { return t.Verb == "corrected" || t.Verb == "voided" }

// Decode reads data into the type's payload struct; the result is a pointer to
// it.
func (t *EventType) Decode(data json.RawMessage) (any, error) {
	p := t.Payload()
	if err := json2.Unmarshal(data, p); err != nil {
		return nil, fmt.Errorf("data of %s: %w", t.Name, err)
	}
	return p, nil
}

// fits decodes data that was written for some type of the case but perhaps not
// for this one: no unknown field, no required text missing.
func (t *EventType) fits(data json.RawMessage) (any, bool) {
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
	return p, true
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
		Example: `{"code":"220182-court","kind":"court","name":"榆树市法律援助中心驻人民法院值班律师工作站","location":"220182","reporting":"220182","hosts":["榆树市人民法院"]}`,
	}, {
		Name: "zhiban.lawyer.enrolled.v1", Title: Text{"值班律师入册", "Lawyer enrolled"}, Clause: "三(二)1",
		Payload: func() any { return new(LawyerEnrolled) },
		Example: `{"licence":"12201201810123456","name":"王立新","kind":"private","firm":"吉林正阳律师事务所","division":"220182"}`,
	}, {
		Name: "zhiban.shift.signed_in.v1", Title: Text{"值班签到", "Signed in"}, Clause: "三(四)2(3)",
		Payload: func() any { return new(ShiftSignedIn) },
		Example: `{"lawyer":"12201201810123456","mode":"onsite","badge":true}`,
	}, {
		Name: "zhiban.shift.signed_out.v1", Title: Text{"值班签退", "Signed out"}, Clause: "三(四)2(3)",
		Payload: func() any { return new(ShiftSignedOut) },
		Example: `{"lawyer":"12201201810123456"}`,
	}, {
		Name: "zhiban.consultation.recorded.v1", Title: Text{"咨询登记", "Consultation recorded"}, Clause: "三(四)2(2)",
		Payload: func() any { return new(ConsultationRecorded) },
		Example: `{"lawyer":"12201201810123456","channel":"visit","person":"p-7f3a91","person_role":"relative","shift":"0199a1c2-7d1e-7c3a-9a55-0242ac120001","topics":["取保候审条件"],"minutes":25,"guided_to_apply":true,"has_defender":false}`,
	}, {
		Name: "zhiban.consultation.signed.v1", Title: Text{"咨询台账签字", "Consultation signed"}, Clause: "三(四)2(3)",
		Payload: func() any { return new(ConsultationSigned) },
		Example: `{"lawyer":"12201201810123456"}`,
	}, {
		Name: "zhiban.application.received.v1", Title: Text{"接收法律援助申请", "Application received"}, Clause: "三(三)1(2)",
		Payload: func() any { return new(ApplicationReceived) },
		Example: `{"lawyer":"12201201810123456","person":"p-7f3a91","in_custody":true}`,
	}, {
		Name: "zhiban.application.transferred.v1", Title: Text{"转交法律援助申请", "Application transferred"}, Clause: "三(三)1(2)",
		Payload: func() any { return new(ApplicationTransferred) },
		Example: `{"lawyer":"12201201810123456","agency":"榆树市法律援助中心"}`,
	}, {
		Name: "zhiban.notification.triggered.v1", Title: Text{"告知义务发生", "Notification duty arose"}, Clause: "三(三)4(4)",
		Payload: func() any { return new(NotificationTriggered) },
		Example: `{"organ":"court","trigger":"accepted","person":"p-7f3a91","in_custody":false}`,
	}, {
		Name: "zhiban.notification.given.v1", Title: Text{"履行告知", "Notification given"}, Clause: "三(三)4(4)",
		Payload: func() any { return new(NotificationGiven) },
		Example: `{"form":"written","evidence":"送达回执 2026-118"}`,
	},
})

// newCatalogue completes the rows and adds the two types that every case has.
func newCatalogue(rows []*EventType) *EventCatalogue {
	c := &EventCatalogue{byName: map[string]*EventType{}}
	for _, t := range rows {
		f := strings.Split(t.Name, ".")
		t.Case, t.Verb = CaseKind(f[1]), f[2]
		c.add(t)
	}
	for _, kind := range c.Cases() {
		first := c.Of(kind)[0]
		c.add(&EventType{
			Name: "zhiban." + string(kind) + ".corrected.v1", Case: kind, Verb: "corrected", Title: Text{"更正", "Corrected"},
			Payload: func() any { return new(Corrected) },
			Example: `{"target":"0199a1c2-7d1e-7c3a-9a55-0242ac120002","data":` + first.Example + `,"reason":"登记有误"}`,
		})
		c.add(&EventType{
			Name: "zhiban." + string(kind) + ".voided.v1", Case: kind, Verb: "voided", Title: Text{"作废", "Voided"},
			Payload: func() any { return new(Voided) },
			Example: `{"target":"0199a1c2-7d1e-7c3a-9a55-0242ac120002","reason":"重复登记"}`,
		})
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
