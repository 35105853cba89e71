// Package ledger reads the ledgers that county legal aid centres keep in
// spreadsheets — the sign-in book (签到簿), the consultation ledger (咨询台账), the
// registers of applications (法律援助申请登记簿) and notifications (告知登记簿), the
// lists of trainings (培训名单) and subsidies (补贴发放表) — into events, and says in
// the clerk's words what became of every line. The table kinds has a row for
// each. [Template] makes an empty one.
//
//	Read ──> Ledger{Events, Rejections, Repeats, Notices} ──> Import: send, Report, Annotate
//
// # Reading
//
// A file is XLSX or CSV by its content, whatever its name says; of a CSV the
// encoding (UTF-8, GB18030, UTF-16) and the separator are found out. A sheet is
// known by its headings, never by its name or place: the table
// columns lists what each may be called. Cells are read as people write them:
// dates and times in every style met so far, full-width digits, merged cells,
// words for modes, channels and roles (see parseDate, parseTime and the table
// words). What cannot be read for certain is rejected with sheet, row and
// reason; nothing is guessed, and nothing is left out silently: columns that
// are not imported, sheets that are no ledger, total rows and footers are
// all accounted for.
//
// # Identity
//
// The same line must have the same identity in every file it stands in, so
// that importing twice counts once. A line is identified by what makes it a
// fact of its own, not by all it says:
//
//	shift         station, licence, sign-in time
//	consultation  station, licence, time, place among the different lines of that minute
//	application   station, licence, time of receipt, place
//	notification  station, organ and trigger, time, place
//	training      station or division, licence and topic, day, place
//	subsidy       station or division, licence, day it was due, place
//
// The case's UUID is version 5 of those in the namespace below, an event's
// UUID version 5 of the case and the event's type; [caseID] and [eventID] are
// the format, fixed for ever. Consequences:
//
//   - A line that is repeated exactly (whatever the style of its dates) counts
//     once and is reported.
//   - Two people seen by one lawyer in the same minute are two lines that differ,
//     hence two consultations. Their place is their rank by content, so the order
//     of rows does not matter. Two files that each hold one of the two lines
//     would give both the same place; when they are imported together the second
//     is rejected as a conflict rather than merged.
//   - Changing anything but the key (a mode, a sign-out, a role) and importing
//     again never counts twice: the line keeps its identity. What was imported
//     first stands, unless [Options].Known tells Import what the platform holds;
//     then the change goes out as a correction (<case>.corrected), as every other
//     change does.
//   - Adding what was missing, a sign-out or a signature, is a new event of the
//     same case and simply completes it.
//   - Changing the key itself (date, time, licence) makes another line; the old
//     one has to be voided by hand, as has one that was deleted. Since the ids of
//     imported events follow from their cases, [Options].Held lets Import find and
//     tell them; it voids none, for the line may stand in another file.
//
// # What leaves the file
//
// No name, identity number or narrative does. The person consulted is a
// pseudonym made from the line's identity; the question goes out as a topic of
// at most 60 characters in which names from the person column and long numbers
// are blotted out; the answer, remarks and names stay in the file, which the
// report says. Names and numbers in a register tell lines of one day apart, and
// stay in the file as well.
package ledger
