// Package schemas is the contract of zhiban: what an event is, which types
// there are, what is counted and where. It holds no technology and does no
// I/O; ingest, projector and dashboard all speak through it.
//
// An event ([Event], a CloudEvent in JSON) happens at a station or in a
// division ([Source]) and belongs to a case ([CaseID]): the small history of
// one shift, one consultation, one application. [Catalogue] lists every event
// type with its payload, [Effective] says what a case's history amounts to
// after corrections, [Indicators] lists every figure, [Divisions] the
// province's divisions through time, [Duties] what the lawyers on duty at each
// kind of station are there for, and [NotificationDue] the deadlines of clause
// 三(三)4(4).
package schemas
