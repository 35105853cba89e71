package desk

import "testing"

func TestTheDeskFitsAndIsAccessible(t *testing.T) {
	s := newStation(t)
	b := newBrowser(t, s)
	b.open("/desk")
	b.look("setup")
	b.fits("the choice of a station")
	b.accessible("the choice of a station")
	b.begin()
	b.look("empty")
	b.aDay()
	b.wait(`document.getElementById('notice').textContent !== ''`)
	// What is open: a shift, an application, a notification, a warning, errors.
	b.click("#shift-form button")
	b.click("#tab-application")
	b.choose(applicationForm, "in_custody", "false")
	b.click(applicationForm + " .actions button")
	b.click("#tab-notification")
	b.choose(notificationForm, "organ", "court", "trigger", "accepted", "in_custody", "false")
	b.click(notificationForm + " .actions button")
	b.settled(16)
	b.click("#tab-consultation")
	b.choose(consultationForm, "channel", "in_custody", "has_defender", "true", "topics", "羁押期限")
	b.typed(consultationForm+` [name="person"]`, "王立新")
	b.click(consultationForm + ` [value="sign"]`)
	b.wait(`document.querySelectorAll('` + consultationForm + ` .error:not([hidden])').length === 2`)
	show := func(where string) {
		b.look(where)
		b.fits(where)
		b.accessible(where)
	}
	show("desk-1280")
	b.scheme("dark")
	show("desk-1280-dark")
	b.size(390, 844, true)
	show("desk-390-dark")
	b.scheme("light")
	show("desk-390")
	for _, tab := range []string{"application", "notification", "assistance", "complaint", "activity"} {
		b.click("#tab-" + tab)
		show("desk-390-" + tab)
	}
	b.click(`#entries [data-act="correct"]`)
	b.wait(`document.getElementById('edit').open`)
	show("correct-390")
	b.click(`#edit [data-act="cancel"]`)
	b.click("#change")
	show("setup-390")
	b.size(320, 640, true)
	b.click("#again")
	b.fits("a small phone")
	if small := eval[string](b, `[...document.querySelectorAll('button, select, summary, .segments span, .chips span, input:not([type=radio], [type=checkbox])')].filter(e => e.getClientRects().length && (e.getBoundingClientRect().height < 43.5)).map(e => e.tagName + ' ' + (e.id || e.textContent)).join('; ')`); small != "" {
		t.Errorf("too small for fingers: %s", small)
	}
	b.clean("the desk")
	b.open("/desk/" + court + "?lang=en")
	show("english")
}
