package desk

import (
	"strings"
	"testing"

	"zhiban/schemas"
)

const (
	court  = "220182-court"
	lawyer = "12201201810123456"
)

const (
	consultationForm = `[data-entry="zhiban.consultation.recorded.v1"]`
	applicationForm  = `[data-entry="zhiban.application.received.v1"]`
	notificationForm = `[data-entry="zhiban.notification.triggered.v1"]`
	assistanceForm   = `[data-entry="zhiban.assistance.given.v1"]`
	complaintForm    = `[data-entry="zhiban.complaint.lodged.v1"]`
	activityForm     = `[data-entry="zhiban.activity.held.v1"]`
)

// aDay enters one of everything: thirteen events.
func (b *browser) aDay() {
	b.t.Helper()
	b.click(`#shift-form [name="badge"]`)
	b.click("#shift-form button")
	b.wait(`!document.getElementById('shift-open').hidden`)
	b.choose(consultationForm, "channel", "visit", "person_role", "relative", "topics", "取保候审条件", "topics", "申请法律援助", "has_defender", "false", "guided_to_apply", "true")
	b.click(consultationForm + ` [data-act="minutes"][value="20"]`)
	b.typed(consultationForm+` [name="person"]`, "p-aaaa1111")
	b.click(consultationForm + ` [value="sign"]`)
	b.settled(3)
	b.choose(consultationForm, "channel", "phone", "person_role", "suspect")
	b.click(consultationForm + ` [value="only"]`)
	b.settled(4)
	b.click(`#entries [data-act="sign"]`)
	b.settled(5)
	b.click("#tab-application")
	b.typed(applicationForm+` [data-role="again"]`, "p-aaaa1111")
	b.choose(applicationForm, "in_custody", "true")
	b.click(applicationForm + " .actions button")
	b.settled(6)
	b.click("#applications summary")
	b.click("#applications form button:not([type])")
	b.settled(7)
	b.click("#tab-notification")
	b.choose(notificationForm, "organ", "procuratorate", "in_custody", "true")
	b.wait(`document.querySelector('[data-role="last"]').textContent.startsWith('最后期限')`)
	b.click(notificationForm + " .actions button")
	b.settled(8)
	b.click("#notifications summary")
	b.choose("#notifications", "form", "written")
	b.typed(`#notifications [name="evidence"]`, "送达回执 2026-118")
	b.click("#notifications form button:not([type])")
	b.settled(9)
	b.click("#tab-assistance")
	b.choose(assistanceForm, "service", "opinion", "adopted", "true", "stage", "trial")
	b.click(assistanceForm + " .actions button")
	b.settled(10)
	b.click("#tab-complaint")
	b.choose(complaintForm, "ground", "illegal_evidence")
	b.click(complaintForm + " .actions button")
	b.settled(11)
	b.click("#tab-activity")
	b.choose(activityForm, "kind", "publicity")
	b.typed(activityForm+` [name="audience"]`, "60")
	b.click(activityForm + " .actions button")
	b.settled(12)
	b.click("#sign-out")
	b.settled(13)
}

func TestEveryKindOfEntryArrivesInTheLog(t *testing.T) {
	s := newStation(t)
	b := newBrowser(t, s)
	b.begin()
	b.aDay()
	events := s.stored()
	if got, want := types(events), "shift.signed_in consultation.recorded consultation.signed consultation.recorded consultation.signed application.received application.transferred "+
		"notification.triggered notification.given assistance.given complaint.lodged activity.held shift.signed_out"; got != want {
		t.Fatalf("in the log: %s\nexpected %s", got, want)
	}
	for _, e := range events {
		if e.Source.String() != "/stations/"+court || e.ID.Version() != 7 {
			t.Errorf("%s comes from %s with id %s", e.Type.Name, e.Source, e.ID)
		}
	}
	consultation := events[1].Payload.(*schemas.ConsultationRecorded)
	if c := consultation; c.Lawyer != lawyer || c.Channel != "visit" || c.Person != s.keys.Pseudonym("p-aaaa1111") || c.PersonRole != "relative" || strings.Join(c.Topics, " ") != "取保候审条件 申请法律援助" ||
		c.Minutes == nil || *c.Minutes != 20 || !c.GuidedToApply || c.HasDefender == nil || *c.HasDefender || c.Shift != events[0].Case.Key {
		t.Errorf("the consultation is %+v", c)
	}
	if second := events[3].Payload.(*schemas.ConsultationRecorded); second.HasDefender != nil || second.Minutes != nil || second.Person == s.keys.Pseudonym("p-aaaa1111") || !schemas.IsKeyed(second.Person) {
		t.Errorf("the second consultation is %+v", second)
	}
	if in := events[0].Payload.(*schemas.ShiftSignedIn); in.Mode != "onsite" || in.Badge == nil || !*in.Badge {
		t.Errorf("signed in %+v", in)
	}
	if a := events[5].Payload.(*schemas.ApplicationReceived); a.Person != s.keys.Pseudonym("p-aaaa1111") || !a.InCustody {
		t.Errorf("the application is %+v", a)
	}
	if a := events[6].Payload.(*schemas.ApplicationTransferred); a.Agency != "榆树市法律援助中心" {
		t.Errorf("transferred %+v", a)
	}
	if n := events[7].Payload.(*schemas.NotificationTriggered); n.Organ != "procuratorate" || n.Trigger != "review" {
		t.Errorf("the only trigger of the organ is not chosen: %+v", n)
	}
	for i, j := range map[int]int{0: 12, 1: 2, 3: 4, 5: 6, 7: 8} {
		if events[i].Case != events[j].Case {
			t.Errorf("%s and %s are of different cases", events[i].Type.Name, events[j].Type.Name)
		}
	}
	b.clean("a day")
}
