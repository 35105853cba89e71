package login

import (
	"fmt"

	"zhiban/schemas"
	"zhiban/schemas/access"
)

const (
	chinese = "zh"
	english = "en"
)

// phrases speaks one language.
type phrases string

// t is the phrase of a key, filled in with args.
func (p phrases) t(key string, args ...any) string {
	m, ok := messages[key]
	if !ok {
		return key
	}
	text := m.In(string(p))
	if len(args) > 0 {
		text = fmt.Sprintf(text, args...)
	}
	return text
}

func (p phrases) role(r access.Role) string {
	info, ok := r.Info()
	if !ok {
		return string(r)
	}
	return info.Title.In(string(p))
}

// scope is what a scope reaches, by name.
func (p phrases) scope(s access.Scope) string {
	switch {
	case s.Station != "":
		return string(s.Station)
	case s.Division == "":
		return "—"
	}
	if path := schemas.Divisions.Path(s.Division); len(path) > 0 {
		return path[len(path)-1].Name + " " + string(s.Division)
	}
	return string(s.Division)
}

var messages = map[string]schemas.Text{
	"site":             {ZH: "值班律师工作站统计分析平台", EN: "Duty Lawyers’ Stations"},
	"language":         {ZH: "English", EN: "中文"},
	"skip":             {ZH: "跳到正文", EN: "Skip to content"},
	"login":            {ZH: "登录", EN: "Log in"},
	"login.intro":      {ZH: "请使用本单位管理员发给您的账号登录。", EN: "Log in with the account that your administrator gave you."},
	"name":             {ZH: "账号", EN: "Account"},
	"password":         {ZH: "密码", EN: "Password"},
	"sso":              {ZH: "统一身份认证登录", EN: "Single sign-on"},
	"or":               {ZH: "或", EN: "or"},
	"forgot":           {ZH: "忘记密码或账号被锁定，请联系管理员取得一次性登录链接。", EN: "If you forgot the password or the account is locked, ask the administrator for a one-time link."},
	"wrong":            {ZH: "账号或密码不正确，请核对后重试。", EN: "Account or password is wrong. Check both and try again."},
	"failed":           {ZH: "无法完成", EN: "This did not work"},
	"link":             {ZH: "一次性登录链接", EN: "One-time link"},
	"link.intro":       {ZH: "点击下面的按钮登录。链接只能使用一次，登录后请设置密码。", EN: "Press the button to log in. The link works once; choose a password afterwards."},
	"link.go":          {ZH: "登录平台", EN: "Log in"},
	"home":             {ZH: "返回首页", EN: "Home"},
	"logout":           {ZH: "退出登录", EN: "Log out"},
	"account":          {ZH: "我的账号", EN: "My account"},
	"account.title":    {ZH: "名称", EN: "Name"},
	"account.role":     {ZH: "角色", EN: "Role"},
	"account.scope":    {ZH: "范围", EN: "Scope"},
	"account.last":     {ZH: "上次登录", EN: "Last login"},
	"password.set":     {ZH: "设置密码", EN: "Choose a password"},
	"password.change":  {ZH: "修改密码", EN: "Change the password"},
	"password.old":     {ZH: "原密码", EN: "Old password"},
	"password.new":     {ZH: "新密码", EN: "New password"},
	"password.again":   {ZH: "再输一次新密码", EN: "New password again"},
	"password.rule":    {ZH: "至少 10 个字符，不要使用账号名或常见密码。", EN: "At least 10 characters; not the account’s name, not a common password."},
	"password.save":    {ZH: "保存密码", EN: "Save the password"},
	"password.differ":  {ZH: "两次输入的新密码不一致。", EN: "The two new passwords differ."},
	"password.wrong":   {ZH: "原密码不正确。", EN: "The old password is wrong."},
	"password.changed": {ZH: "密码已保存，下次登录请使用新密码。", EN: "The password is saved; use it from the next login on."},
	"external":         {ZH: "您通过统一身份认证登录，密码在认证服务中修改。", EN: "You log in by single sign-on; the password is changed there."},

	"accounts":          {ZH: "账号管理", EN: "Accounts"},
	"accounts.list":     {ZH: "账号", EN: "Accounts"},
	"accounts.new":      {ZH: "新建账号", EN: "New account"},
	"accounts.create":   {ZH: "建立账号并生成登录链接", EN: "Create with a one-time link"},
	"accounts.name":     {ZH: "账号（小写字母、数字、. _ @ -）", EN: "Account (a–z, 0–9, . _ @ -)"},
	"accounts.title":    {ZH: "姓名或单位名称", EN: "Name of person or office"},
	"accounts.division": {ZH: "行政区划（按区划授权的角色）", EN: "Division (roles bound to one)"},
	"accounts.station":  {ZH: "工作站编码（工作站、驻在机关）", EN: "Station code (station, host)"},
	"state":             {ZH: "状态", EN: "State"},
	"state.good":        {ZH: "有效", EN: "Valid"},
	"state.disabled":    {ZH: "已停用", EN: "Disabled"},
	"state.locked":      {ZH: "锁定至 %s", EN: "Locked until %s"},
	"state.revoked":     {ZH: "%s 已吊销", EN: "Revoked %s"},
	"state.expired":     {ZH: "已过期", EN: "Expired"},
	"actions":           {ZH: "操作", EN: "Actions"},
	"act.link":          {ZH: "登录链接", EN: "One-time link"},
	"act.disable":       {ZH: "停用", EN: "Disable"},
	"act.enable":        {ZH: "启用", EN: "Enable"},
	"act.unlock":        {ZH: "解锁", EN: "Unlock"},
	"act.revoke":        {ZH: "吊销", EN: "Revoke"},
	"tokens":            {ZH: "程序令牌", EN: "Tokens of programs"},
	"tokens.none":       {ZH: "还没有程序令牌。", EN: "There are no tokens yet."},
	"tokens.new":        {ZH: "新建令牌", EN: "New token"},
	"tokens.title":      {ZH: "用途", EN: "Purpose"},
	"tokens.days":       {ZH: "有效天数", EN: "Days valid"},
	"tokens.create":     {ZH: "生成令牌", EN: "Create the token"},
	"tokens.expires":    {ZH: "有效期至", EN: "Valid until"},
	"tokens.by":         {ZH: "建立人", EN: "Created by"},
	"tokens.id":         {ZH: "编号", EN: "ID"},
	"secret.link":       {ZH: "一次性登录链接", EN: "One-time link"},
	"secret.link.note":  {ZH: "链接只显示这一次，请复制后安全地交给本人；%d 小时内使用一次后失效。", EN: "Shown this once. Copy it and hand it over safely; it works once within %d hours."},
	"secret.token":      {ZH: "程序令牌", EN: "Token"},
	"secret.token.note": {ZH: "令牌只显示这一次，请立即复制保存；程序以 Authorization: Bearer 发送。", EN: "Shown this once. Copy it now; programs send it as Authorization: Bearer."},

	"error.404":   {ZH: "没有这个账号、令牌或页面。", EN: "There is no such account, token or page."},
	"error.409":   {ZH: "与现有状态不符：%s", EN: "It does not fit: %s"},
	"error.422":   {ZH: "填写有误：%s", EN: "Something is wrong: %s"},
	"error.429":   {ZH: "尝试过于频繁，请在 %d 秒后再试。", EN: "Too many attempts. Try again in %d seconds."},
	"error.500":   {ZH: "系统出错，已记入日志，请联系运维人员。", EN: "A fault of the system; it is in the log."},
	"error.503":   {ZH: "服务暂时没有响应，请稍后再试。", EN: "A service does not answer. Try again later."},
	"error.entry": {ZH: "不能登录：链接或认证已使用、已过期，或者您没有本平台的权限。请重新登录，或联系管理员。", EN: "No entry: the link or sign-on was used or has expired, or you have no rights here. Log in again, or ask the administrator."},
}
