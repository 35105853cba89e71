package directory

import (
	"context"

	"zhiban/schemas/access"
)

// Demo is a way into the demonstration.
type Demo struct {
	Role           access.Role
	Title, Account string
	Secret         string // of the one-time link
}

// demos are an account for each role, in divisions of the province.
var demos = []Account{
	{Role: access.Administrator, Title: "系统管理员"},
	{Role: access.Province, Title: "吉林省司法厅", Scope: access.Scope{Division: "220000"}},
	{Role: access.Prefecture, Title: "长春市司法局", Scope: access.Scope{Division: "220100"}},
	{Role: access.County, Title: "榆树市法律援助中心", Scope: access.Scope{Division: "220182"}},
	{Role: access.Station, Title: "榆树市人民法院值班律师工作站", Scope: access.Scope{Station: "220182-court"}},
	{Role: access.Host, Title: "榆树市人民法院", Scope: access.Scope{Station: "220182-court"}},
	{Role: access.Bar, Title: "吉林省律师协会", Scope: access.Scope{Division: "220000"}},
	{Role: access.Procurator, Title: "吉林省人民检察院", Scope: access.Scope{Division: "220000"}},
	{Role: access.Auditor, Title: "吉林省审计厅", Scope: access.Scope{Division: "220000"}},
}

// DemoAccounts are accounts to try the platform with, demo-<role> for each role,
// made when they are not there, each with a new link. One that was disabled is
// left out.
func (d *Directory) DemoAccounts(ctx context.Context) ([]Demo, error) {
	var out []Demo
	for _, a := range demos {
		a.Name, a.Title = "demo-"+string(a.Role), a.Title+"（演示）"
		is, ok, err := d.find(a.Name)
		if err == nil && !ok {
			err = d.Create(ctx, a)
		}
		if err != nil {
			return nil, err
		}
		if is.Disabled {
			continue
		}
		secret, err := d.Link(ctx, a.Name, firstLink)
		if err != nil {
			return nil, err
		}
		out = append(out, Demo{a.Role, a.Title, a.Name, secret})
	}
	return out, nil
}
