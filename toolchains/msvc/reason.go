package msvc

import "github.com/rexwrap/rexwrap/toolchains/gnu"

// Reasons why calls of cl.exe and clang-cl step aside, besides those that they share with
// the families of package gnu.
const (
	ReasonBrowse        = "browse-information"
	ReasonCLR           = "managed-code"
	ReasonEditContinue  = "edit-and-continue"
	ReasonListing       = "listing"
	ReasonLTCGDatabase  = "ltcg-with-database"
	ReasonOneOutput     = "one-output-for-several"
	ReasonPCH           = "precompiled-header"
	ReasonSanitizer     = "sanitizer"
	ReasonSplitCompiler = "other-compiler-parts"
)

// Reasons explains the reasons that only this family has.
func Reasons() []gnu.Reason {
	return []gnu.Reason{
		{Name: ReasonBrowse, Text: "browse information or an XML documentation file is made"},
		{Name: ReasonCLR, Text: "code for .NET or the Windows Runtime"},
		{Name: ReasonEditContinue, Text: "edit and continue, or minimal rebuild, needs state of this machine"},
		{Name: ReasonListing, Text: "a listing with machine code"},
		{Name: ReasonLTCGDatabase, Text: "link-time code generation with a shared program database"},
		{Name: ReasonOneOutput, Text: "one output is named for several sources"},
		{Name: ReasonPCH, Text: "a precompiled header is made or used"},
		{Name: ReasonSanitizer, Text: "a sanitizer that reads lists of the compiler's own"},
		{Name: ReasonSplitCompiler, Text: "the compiler is told to use other parts"},
	}
}
