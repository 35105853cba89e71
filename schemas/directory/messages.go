package directory

import (
	"errors"
	"fmt"

	"zhiban/schemas"
)

// textError is why something is refused, in both languages.
type textError struct{ text schemas.Text }

func (e *textError) Error() string { return e.text.EN }

// ErrorText is an error of this package in both languages; of any other it is
// what it says.
func ErrorText(err error) schemas.Text {
	if e, ok := errors.AsType[*textError](err); ok {
		return e.text
	}
	return schemas.Text{ZH: err.Error(), EN: err.Error()}
}

// refuse is an error of a kind with a text of the catalogue below, filled in with
// args. Args that are texts are said in each language.
func refuse(kind schemas.ErrorKind, text schemas.Text, args ...any) error {
	in := func(lang string) string {
		own := make([]any, len(args))
		for i, a := range args {
			if t, ok := a.(schemas.Text); ok {
				a = t.In(lang)
			}
			own[i] = a
		}
		return fmt.Sprintf(text.In(lang), own...)
	}
	e := &textError{schemas.Text{ZH: in("zh"), EN: in("en")}}
	return &schemas.Error{Kind: kind, Message: e.text.EN, Err: e}
}

// The catalogue.
var (
	noEntry = schemas.Text{ZH: "账号、密码或登录链接不正确，或者已失效", EN: "the account, password or link is wrong or no longer good"}
	locked  = schemas.Text{ZH: "密码输错次数过多，账号暂时锁定，请稍后再试", EN: "too many wrong passwords: the account is locked for a while; try again later"}
	noToken = schemas.Text{ZH: "令牌不正确，或者已失效", EN: "the token is not, or no longer, good"}
	ended   = schemas.Text{ZH: "登录已结束，请重新登录", EN: "the session has ended; log in again"}

	noAccount     = schemas.Text{ZH: "没有账号 %s", EN: "there is no account %s"}
	noTokenOf     = schemas.Text{ZH: "没有令牌 %s", EN: "there is no token %s"}
	accountExists = schemas.Text{ZH: "账号 %s 已存在", EN: "account %s is there already"}
	isDisabled    = schemas.Text{ZH: "账号 %s 已停用，请先启用", EN: "account %s is disabled; enable it first"}
	isExternal    = schemas.Text{ZH: "账号 %s 通过统一身份认证登录，没有密码和登录链接", EN: "account %s logs in by single sign-on: it has neither password nor link"}
	adminTaken    = schemas.Text{ZH: "平台没有管理员，而账号 %s 的角色不是管理员：请先另建管理员账号", EN: "the platform has no administrator, and account %s has another role: create an administrator under another name"}

	nameForm      = schemas.Text{ZH: "账号 %q 应为 1 至 64 个小写字母、数字或 . _ @ -，以字母或数字开头", EN: "account %q: 1 to 64 of a-z, 0-9, . _ @ -, the first a letter or digit"}
	nameReserved  = schemas.Text{ZH: "以 %s 开头的账号由统一身份认证使用", EN: "accounts that begin with %s are those of single sign-on"}
	nameExternal  = schemas.Text{ZH: "统一身份认证的账号 %q 应以 %s 开头", EN: "account %q of single sign-on has to begin with %s"}
	titleForm     = schemas.Text{ZH: "名称应为 1 至 %d 个字符，不含换行等控制字符", EN: "a title has 1 to %d characters, and no control characters"}
	tokenExpired  = schemas.Text{ZH: "令牌的有效期应在将来", EN: "a token has to expire in the future"}
	linkValidity  = schemas.Text{ZH: "登录链接的有效期应为正数", EN: "a link has to be valid for some time"}
	noRole        = schemas.Text{ZH: "没有角色 %q", EN: "there is no role %q"}
	noScope       = schemas.Text{ZH: "角色“%s”不绑定区划或工作站", EN: "role %s is bound to no division or station"}
	needsStation  = schemas.Text{ZH: "角色“%s”须绑定一个工作站，不绑定区划", EN: "role %s is bound to one station and to no division"}
	stationForm   = schemas.Text{ZH: "工作站编码 %q 应为“区划代码-court、procuratorate 或 detention”，例如 220182-court，区划须在本省", EN: "station code %q is not <division of the province>-<court|procuratorate|detention>, for example 220182-court"}
	needsDivision = schemas.Text{ZH: "角色“%s”须绑定一个区划，不绑定工作站", EN: "role %s is bound to one division and to no station"}
	noDivision    = schemas.Text{ZH: "没有区划 %q", EN: "there is no division %q"}
	oldDivision   = schemas.Text{ZH: "区划 %s 已不再使用，现为 %s", EN: "division %s is no longer in use; it is %s now"}
	wrongLevel    = schemas.Text{ZH: "区划 %s（%s）与角色“%s”的层级不符", EN: "division %s (%s) is not of the level of role %s"}

	passwordLength = schemas.Text{ZH: "密码应为 %d 至 %d 个字符", EN: "a password has %d to %d characters"}
	passwordName   = schemas.Text{ZH: "密码不能由账号名拼成", EN: "the password is made of the account's name"}
	passwordCommon = schemas.Text{ZH: "这个密码太常见或太简单，请换一个", EN: "the password is too common or too simple; choose another"}
)
