// Package warehouse is the ClickHouse side of the contract: the tables, their
// migrations, and opening a connection. The projector writes the tables, the
// dashboard's report package reads them; neither knows the other.
//
// Physical tables carry a version in their names (see [Tables]), so a rebuild
// can fill a new version beside the one that is read and switch then. Views
// without a version stand in front of them for people at a prompt.
//
//   - events: the log as projected, one row an event and place in the log. Its id
//     is made of two columns ([SplitID]).
//   - postings: what the events amount to. Quantities add up; a correction
//     posts the difference. A posting names its event by partition and offset,
//     which tells when it was recorded; its own column recorded tells only the
//     year, as the first instant of it in Shanghai (rows of before have the moment).
//   - batches: the ledger of the projection. A batch's rows count only once its
//     ledger row is there: every reader bounds itself by the ledger's head, so a
//     half-written batch is never seen.
//   - parked: what could not be read, with the reason.
//   - monthly, monthly_lawyers and moments: roll-ups, which ClickHouse makes of
//     postings and events as these are inserted ([Tables.Sums], [Tables.Moments]).
//     They have no views: people ask postings.
//
// events and postings are partitioned by the year of recording: late events do
// not split an insert, a query opens few parts, and a year is a few million
// rows. (By month, a small province's year sat in fifty parts, and every query
// paid for opening them.)
package warehouse
