// SPDX-License-Identifier: Apache-2.0
// Nothing unwinds: a panic says its message and aborts, and there are no tables a backtrace could read. Rust's std names
// these all the same, and would bring libunwind and printf along for them: 20 KB on x86_64.

typedef unsigned long word;

int _Unwind_Backtrace(void *trace, void *argument) { return 5; } // _URC_END_OF_STACK
word _Unwind_GetIP(void *context) { return 0; }
word _Unwind_GetIPInfo(void *context, int *before) { *before = 0; return 0; }
word _Unwind_GetCFA(void *context) { return 0; }
void *_Unwind_FindEnclosingFunction(void *address) { return 0; }
void _Unwind_DeleteException(void *exception) {}
word _Unwind_GetLanguageSpecificData(void *context) { return 0; }
word _Unwind_GetRegionStart(void *context) { return 0; }
word _Unwind_GetTextRelBase(void *context) { return 0; }
word _Unwind_GetDataRelBase(void *context) { return 0; }
word _Unwind_GetGR(void *context, int index) { return 0; }
void _Unwind_SetGR(void *context, int index, word value) {}
void _Unwind_SetIP(void *context, word value) {}
int _Unwind_RaiseException(void *exception) { return 5; }
void _Unwind_Resume(void *exception) { __builtin_trap(); }
#ifdef __ARM_EABI__
int _Unwind_VRS_Get(void *context, int class, unsigned reg, int representation, void *value) { return 1; }
int _Unwind_VRS_Set(void *context, int class, unsigned reg, int representation, void *value) { return 1; }
int __gnu_unwind_frame(void *exception, void *context) { return 9; } // _URC_FAILURE
int __aeabi_unwind_cpp_pr0(int state, void *block, void *context) { return 9; }
int __aeabi_unwind_cpp_pr1(int state, void *block, void *context) { return 9; }
int __aeabi_unwind_cpp_pr2(int state, void *block, void *context) { return 9; }
#endif
