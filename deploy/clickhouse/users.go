// Package clickhouse has the platform's users of ClickHouse, each with the least
// rights it can work with.
package clickhouse

import _ "embed"

// Users is users.xml, ClickHouse's configuration of the users. It takes each
// user's password, as SHA-256 in hexadecimal, from a variable of the environment.
//
//go:embed users.xml
var Users []byte

// The users, and the variables of their passwords' hashes.
const (
	Migrate   = "zhiban_migrate"
	Projector = "zhiban_projector"
	Dashboard = "zhiban_dashboard"

	MigrateHash   = "ZHIBAN_MIGRATE_SHA256"
	ProjectorHash = "ZHIBAN_PROJECTOR_SHA256"
	DashboardHash = "ZHIBAN_DASHBOARD_SHA256"
)
