package operate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os/user"
	"slices"
	"text/tabwriter"
	"time"

	"zhiban/schemas"
	"zhiban/schemas/access"
	"zhiban/schemas/audit"
	"zhiban/schemas/directory"
	"zhiban/schemas/seal"
)

// linkValid is how long a one-time link waits to be used.
const linkValid = 24 * time.Hour

// Access is who may come in, as who operates the platform sees to it. What is
// changed is in the audit trail, in the name of the system's user.
type Access struct {
	Operator
	Directory *directory.Directory
	Trail     *audit.Trail
	// Origin is the site's address, for links.
	Origin string
}

// record says who did what at the console. What could not be recorded is done,
// and said.
func (a Access) record(ctx context.Context, action, object, detail string) error {
	name := "console"
	if u, err := user.Current(); err == nil {
		name += ":" + u.Username
	}
	if err := a.Trail.Record(ctx, audit.Record{Account: name, Action: action, Object: object, Detail: detail}); err != nil {
		return fmt.Errorf("done, but not in the audit trail: %w", err)
	}
	return nil
}

// said is an error in Chinese, where it has one.
func said(err error) error {
	if err == nil {
		return nil
	}
	return errors.New(directory.ErrorText(err).ZH)
}

func moment(t time.Time) string {
	if t.IsZero() {
		return "—"
	}
	return t.In(schemas.Shanghai).Format("2006-01-02 15:04")
}

func roleOf(r access.Role) string {
	info, _ := r.Info()
	return cmp.Or(info.Title.ZH, string(r))
}

// place is what a scope reaches, by name.
func place(s access.Scope) string {
	if s.Station != "" {
		return string(s.Station)
	}
	if d, ok := schemas.Divisions.Get(s.Division); ok {
		return d.Name + " " + string(d.Code)
	}
	return "—"
}

// ListAccounts lists all accounts.
func (a Access) ListAccounts() error {
	accounts := a.Directory.Accounts()
	if len(accounts) == 0 {
		fmt.Fprintln(a.Out, "还没有账号。")
		return nil
	}
	table := tabwriter.NewWriter(a.Out, 2, 4, 2, ' ', 0)
	fmt.Fprintln(table, "账号\t名称\t角色\t范围\t状态\t最近登录")
	for _, x := range accounts {
		state := "正常"
		switch {
		case x.Disabled:
			state = "已停用"
		case time.Now().Before(x.Locked):
			state = "锁定至 " + moment(x.Locked)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", x.Name, x.Title, roleOf(x.Role), place(x.Scope), state, moment(x.LastLogin))
	}
	return table.Flush()
}

// CreateAccount makes an account and a link to enter it.
func (a Access) CreateAccount(ctx context.Context, x directory.Account) error {
	x.Title = cmp.Or(x.Title, x.Name)
	if err := a.Directory.Create(ctx, x); err != nil {
		return said(err)
	}
	fmt.Fprintf(a.Out, "已建立账号 %s（%s，%s）。\n", x.Name, roleOf(x.Role), place(x.Scope))
	return errors.Join(a.record(ctx, "account-create", x.Name, string(x.Role)+" "+cmp.Or(string(x.Scope.Station), string(x.Scope.Division))), a.LinkTo(ctx, x.Name))
}

// LinkTo makes a link by which an account is entered once.
func (a Access) LinkTo(ctx context.Context, name string) error {
	secret, err := a.Directory.Link(ctx, name, linkValid)
	if err != nil {
		return said(err)
	}
	fmt.Fprintf(a.Out, "登录链接（24 小时内有效，只能用一次）：%s\n", LinkURL(a.Origin, secret))
	return a.record(ctx, "account-link", name, "")
}

// LinkURL is the address of a one-time link.
func LinkURL(origin, secret string) string { return origin + "/login/link/" + secret }

// DisableAccount locks an account out and ends its sessions; EnableAccount lets it
// in again.
func (a Access) DisableAccount(ctx context.Context, name string) error {
	if err := a.Directory.Disable(ctx, name); err != nil {
		return said(err)
	}
	fmt.Fprintf(a.Out, "已停用账号 %s，其登录已全部结束。\n", name)
	return a.record(ctx, "account-disable", name, "")
}

// EnableAccount lets a disabled account in again.
func (a Access) EnableAccount(ctx context.Context, name string) error {
	if err := a.Directory.Enable(ctx, name); err != nil {
		return said(err)
	}
	fmt.Fprintf(a.Out, "已启用账号 %s。\n", name)
	return a.record(ctx, "account-enable", name, "")
}

// ListTokens lists the tokens of programs.
func (a Access) ListTokens() error {
	tokens := a.Directory.Tokens()
	if len(tokens) == 0 {
		fmt.Fprintln(a.Out, "还没有令牌。")
		return nil
	}
	slices.SortStableFunc(tokens, func(x, y directory.Token) int { return y.Created.Compare(x.Created) })
	table := tabwriter.NewWriter(a.Out, 2, 4, 2, ' ', 0)
	fmt.Fprintln(table, "编号\t用途\t角色\t范围\t有效至\t状态")
	for _, t := range tokens {
		state := "有效"
		switch {
		case !t.Revoked.IsZero():
			state = "已吊销"
		case !time.Now().Before(t.Expires):
			state = "已过期"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", t.ID, t.Title, roleOf(t.Role), place(t.Scope), moment(t.Expires), state)
	}
	return table.Flush()
}

// NewToken makes a token for a program and shows it, this once. It stands alone on
// the last line, for scripts.
func (a Access) NewToken(ctx context.Context, t directory.Token) error {
	t.By = "console"
	secret, err := a.Directory.NewToken(ctx, t)
	if err != nil {
		return said(err)
	}
	fmt.Fprintf(a.Err, "令牌只显示这一次，有效至 %s；程序用 ZHIBAN_TOKEN 或请求头 Authorization: Bearer 出示：\n", moment(t.Expires))
	fmt.Fprintln(a.Out, secret)
	return a.record(ctx, "token-create", t.Title, string(t.Role)+" "+cmp.Or(string(t.Scope.Station), string(t.Scope.Division)))
}

// RevokeToken ends a token.
func (a Access) RevokeToken(ctx context.Context, id string) error {
	if err := a.Directory.Revoke(ctx, id); err != nil {
		return said(err)
	}
	fmt.Fprintf(a.Out, "已吊销令牌 %s。\n", id)
	return a.record(ctx, "token-revoke", id, "")
}

// Erase destroys the keys of a person, so that their texts open nowhere any more.
// The figures stay as they are.
func (a Access) Erase(ctx context.Context, keys *seal.Keyring, person string) error {
	n, err := keys.Erase(ctx, person)
	if err != nil {
		return err
	}
	if n == 0 {
		fmt.Fprintln(a.Out, "没有此人的密钥：从未封存过其原文，或者已经销毁。")
		return nil
	}
	fmt.Fprintf(a.Out, "已销毁此人的 %d 个密钥：其咨询原文在任何地方都不能再读，统计数字不变。\n", n)
	return a.record(ctx, audit.Erase, keys.Pseudonym(person), fmt.Sprintf("%d keys", n))
}

// Rotate makes a new master key and wraps every person's key with it.
func (a Access) Rotate(ctx context.Context, keys *seal.Keyring, file *seal.KeyFile) error {
	if err := file.Add(time.Now()); err != nil {
		return err
	}
	n, err := keys.Rotate(ctx)
	if err != nil {
		return fmt.Errorf("the new master key is made; do it again to go on: %w", err)
	}
	fmt.Fprintf(a.Out, "已启用新的主密钥 %s，重新包裹了 %d 个密钥。请重启各服务，并另行备份密钥文件。\n", file.Primary(), n)
	return a.record(ctx, "keys-rotate", file.Primary(), fmt.Sprintf("%d keys", n))
}
