package dashboard

import "zhiban/schemas/access"

// anyone stands behind the requests of tests that are not about who asks.
var anyone = access.Identity{Account: "limin", Title: "李敏", Role: access.Province, Scope: access.ProvinceWide}
