; The setup program for Windows. installers/windows/nsis.mjs runs makensis in the staged tree and defines VERSION, FILE_VERSION,
; SIZE_KB, OUTPUT, FILES (the list of files), END_PROGRAMS (a helper), and maybe FAST and SIGN.
Unicode true
Target amd64-unicode
ManifestDPIAware true
ManifestSupportedOS Win10
RequestExecutionLevel admin
Name "ftpseal"
OutFile "${OUTPUT}"
BrandingText "ftpseal ${VERSION}"
InstallDir "$PROGRAMFILES64\ftpseal"
!ifdef FAST
  SetCompress off
!else
  SetCompressor /SOLID lzma
  SetCompressorDictSize 32
!endif
!ifdef SIGN
  !uninstfinalize '${SIGN} "%1"' = 0
!endif

VIProductVersion "${FILE_VERSION}"
VIAddVersionKey ProductName "ftpseal"
VIAddVersionKey ProductVersion "${VERSION}"
VIAddVersionKey FileVersion "${VERSION}"
VIAddVersionKey FileDescription "Setup of ftpseal"
VIAddVersionKey LegalCopyright "the ftpseal authors"

!include LogicLib.nsh
!include MUI2.nsh
!include FileFunc.nsh
!include WinVer.nsh
!include x64.nsh

!define UNINSTALL_KEY "Software\Microsoft\Windows\CurrentVersion\Uninstall\ftpseal"
!define RUN_KEY "Software\Microsoft\Windows\CurrentVersion\Run"
!define FIREWALL_RULE "ftpseal"
; The proxy's listeners, and where servers call for active transfers: the defaults of daemon/divert/port-shares.ts and divert.active_ports.
!define INBOUND_PORTS "23300-24299,31100-31611"

!define MUI_ABORTWARNING
!define MUI_FINISHPAGE_TEXT "Outgoing FTP connections of this computer are secured from now on.$\r$\n$\r$\nThe icon that asks about new servers starts when you log in next; at once from the Start menu."
!insertmacro MUI_PAGE_WELCOME
!insertmacro MUI_PAGE_LICENSE "LICENSE.txt"
; An upgrade goes where the old version is.
!define MUI_PAGE_CUSTOMFUNCTION_PRE skipForUpgrade
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "English"

Var sentence
Var isUpgrade
Var purge

; What follows is in the installer and, with names that begin with un., in the uninstaller.
!macro SHARED un
; Says the sentence on a window or, silently, to the standard output if there is one, and ends with exit code 2.
Function ${un}fail
  Call ${un}say
  MessageBox MB_OK|MB_ICONSTOP "$sentence" /SD IDOK
  SetErrorLevel 2
  Abort "$sentence"
FunctionEnd

Function ${un}say
  DetailPrint "$sentence"
  System::Call 'kernel32::GetStdHandle(i -11) p .r8'
  ${If} $8 > 0
    FileWrite $8 "$sentence$\r$\n"
  ${EndIf}
FunctionEnd

; `ftpseal` with the arguments on the stack: its exit code in $0, what it said in $1. Code "none" where there is no program.
Function ${un}ftpseal
  Pop $2
  StrCpy $0 "none"
  StrCpy $1 ""
  ${If} ${FileExists} "$INSTDIR\node.exe"
  ${AndIf} ${FileExists} "$INSTDIR\dist\daemon\main.js"
    DetailPrint "ftpseal $2"
    nsExec::ExecToStack /TIMEOUT=180000 '"$INSTDIR\node.exe" "$INSTDIR\dist\daemon\main.js" $2'
    Pop $0
    Pop $1
  ${EndIf}
FunctionEnd

; The tray of every person, the proxy of a service that was killed. $0 is not 0 if one stays.
Function ${un}endPrograms
  InitPluginsDir
  File "/oname=$PLUGINSDIR\end-programs.exe" "${END_PROGRAMS}"
  nsExec::Exec /TIMEOUT=60000 '"$PLUGINSDIR\end-programs.exe" "$INSTDIR"'
  Pop $0
FunctionEnd

Function ${un}closeFirewall
  nsExec::Exec /TIMEOUT=60000 '"$SYSDIR\netsh.exe" advfirewall firewall delete rule name="${FIREWALL_RULE}"'
  Pop $0
FunctionEnd

Function ${un}requireAdministrator
  SetShellVarContext all
  SetRegView 64
  UserInfo::GetAccountType
  Pop $0
  ${If} $0 != "Admin"
    StrCpy $sentence "Run this as an administrator."
    Call ${un}fail
  ${EndIf}
FunctionEnd
!macroend
!insertmacro SHARED ""
!insertmacro SHARED "un."

!macro ftpseal arguments
  Push "${arguments}"
  Call ftpseal
!macroend

!macro failIf left how right text
  ${If} "${left}" ${how} "${right}"
    StrCpy $sentence "${text}"
    Call fail
  ${EndIf}
!macroend

Function .onInit
  Call requireAdministrator
  ${IfNot} ${IsNativeAMD64}
  ${OrIfNot} ${AtLeastWin10}
    StrCpy $sentence "ftpseal needs Windows 10 or later, 64 bits, on a processor of Intel or AMD."
    Call fail
  ${EndIf}
  ReadRegStr $0 HKLM "${UNINSTALL_KEY}" "InstallLocation"
  StrCpy $isUpgrade 0
  ${If} $0 == ""
    Return
  ${EndIf}
  StrCpy $isUpgrade 1
  ${If} $INSTDIR != "$PROGRAMFILES64\ftpseal"
    !insertmacro failIf $INSTDIR != $0 "ftpseal is installed in $0. Remove it there first, or leave the folder as it is."
  ${EndIf}
  StrCpy $INSTDIR $0
FunctionEnd

Function skipForUpgrade
  ${If} $isUpgrade == 1
    Abort
  ${EndIf}
FunctionEnd

; Nobody but administrators may write where the service's program lies, wherever that is. What others put there before is not run.
Function claimFolder
  ${If} $isUpgrade == 0
  ${AndIf} ${FileExists} "$INSTDIR\*.*"
    ${DirState} "$INSTDIR" $0
    !insertmacro failIf $0 == 1 "There are other files in $INSTDIR. Choose another folder, or empty this one."
  ${EndIf}
  SetOutPath "$INSTDIR"
  nsExec::Exec /TIMEOUT=60000 '"$SYSDIR\icacls.exe" "$INSTDIR" /setowner *S-1-5-32-544 /q'
  Pop $0
  !insertmacro failIf $0 != 0 "The owner of $INSTDIR could not be set (icacls: $0)."
  nsExec::Exec /TIMEOUT=60000 '"$SYSDIR\icacls.exe" "$INSTDIR" /inheritance:r /grant:r *S-1-5-18:(OI)(CI)F *S-1-5-32-544:(OI)(CI)F *S-1-5-32-545:(OI)(CI)RX /q'
  Pop $0
  !insertmacro failIf $0 != 0 "The rights of $INSTDIR could not be set (icacls: $0)."
FunctionEnd

; Until the program that runs is gone nothing is changed, and it is started again if it does not go.
Function endOldVersion
  !insertmacro ftpseal "service stop"
  ${If} $0 != "none"
    !insertmacro failIf $0 != 0 "The ftpseal that runs could not be stopped: $1"
  ${EndIf}
  ; The driver's file can't be replaced while it is loaded.
  !insertmacro ftpseal "cleanup"
  ; The icon of a tray that is killed stays until somebody points at it; those of other people can't be asked.
  !insertmacro ftpseal "tray --quit"
  Call endPrograms
  ${If} $0 == 0
    ClearErrors
    Delete "$INSTDIR\node.exe"
    ${IfNot} ${Errors}
      RMDir /r "$INSTDIR\dist"
      RMDir /r "$INSTDIR\node_modules"
      RMDir /r "$INSTDIR\windivert"
      Return
    ${EndIf}
  ${EndIf}
  !insertmacro ftpseal "service start"
  StrCpy $sentence "A program of $INSTDIR could not be ended, so nothing was changed. Restart Windows and run this again."
  Call fail
FunctionEnd

Function registerProgram
  WriteRegStr HKLM "${UNINSTALL_KEY}" "InstallLocation" "$INSTDIR"
  WriteRegStr HKLM "${UNINSTALL_KEY}" "DisplayName" "ftpseal"
  WriteRegStr HKLM "${UNINSTALL_KEY}" "DisplayVersion" "${VERSION}"
  WriteRegStr HKLM "${UNINSTALL_KEY}" "DisplayIcon" "$INSTDIR\ftpseal.ico"
  WriteRegStr HKLM "${UNINSTALL_KEY}" "Publisher" "the ftpseal authors"
  WriteRegStr HKLM "${UNINSTALL_KEY}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegStr HKLM "${UNINSTALL_KEY}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
  WriteRegDWORD HKLM "${UNINSTALL_KEY}" "EstimatedSize" ${SIZE_KB}
  WriteRegDWORD HKLM "${UNINSTALL_KEY}" "NoModify" 1
  WriteRegDWORD HKLM "${UNINSTALL_KEY}" "NoRepair" 1
FunctionEnd

Function startService
  !insertmacro ftpseal "service stop"
  !insertmacro failIf $0 != 0 "The service of another ftpseal could not be stopped: $1"
  !insertmacro ftpseal "service install"
  !insertmacro failIf $0 != 0 "The service could not be installed: $1"
  Call closeFirewall
  nsExec::Exec /TIMEOUT=60000 '"$SYSDIR\netsh.exe" advfirewall firewall add rule name="${FIREWALL_RULE}" dir=in action=allow protocol=TCP localport=${INBOUND_PORTS} program="$INSTDIR\node.exe"'
  Pop $0
  ${If} $0 != 0
    StrCpy $sentence "Windows' firewall did not take the rule for ftpseal (netsh: $0); FTP connections may be blocked."
    Call say
  ${EndIf}
  !insertmacro ftpseal "service start"
  !insertmacro failIf $0 != 0 "ftpseal is installed, but its service does not start: $1"
FunctionEnd

Section
  Call claimFolder
  ${If} $isUpgrade == 1
    Call endOldVersion
  ${EndIf}
  ; First, so that a setup that is cut off can be removed or done again.
  Call registerProgram
  ClearErrors
  WriteUninstaller "$INSTDIR\uninstall.exe"
  !include "${FILES}"
  SetOutPath "$INSTDIR"
  ${If} ${Errors}
    StrCpy $sentence "Not all files could be written to $INSTDIR. Run this again; until then FTP is not secured."
    Call fail
  ${EndIf}
  WriteRegStr HKLM "${RUN_KEY}" "ftpseal" '"$INSTDIR\ftpsealw.exe" tray'
  CreateDirectory "$SMPROGRAMS\ftpseal"
  CreateShortcut "$SMPROGRAMS\ftpseal\ftpseal.lnk" "$INSTDIR\ftpsealw.exe" "manager" "$INSTDIR\ftpseal.ico"
  CreateShortcut "$SMPROGRAMS\ftpseal\ftpseal tray icon.lnk" "$INSTDIR\ftpsealw.exe" "tray" "$INSTDIR\ftpseal.ico"
  Call startService
SectionEnd

Function un.onInit
  Call un.requireAdministrator
  StrCpy $purge 0
  ${GetParameters} $0
  ClearErrors
  ${GetOptions} $0 "/PURGE" $1
  ${IfNot} ${Errors}
    StrCpy $purge 1
  ${EndIf}
FunctionEnd

Section un.
  ${If} $purge == 0
    MessageBox MB_YESNO|MB_ICONQUESTION|MB_DEFBUTTON2 "Also delete the configuration and the keys of this computer ($APPDATA\ftpseal)? Without them ftpseal knows no server any more." /SD IDNO IDNO keep
    StrCpy $purge 1
    keep:
  ${EndIf}
  ; The rest is removed whatever fails, and what stays is said at the end.
  StrCpy $sentence ""
  Push "service remove"
  Call un.ftpseal
  ${If} $0 != 0
    StrCpy $sentence "The service could not be removed: $1"
  ${EndIf}
  Push "cleanup"
  Call un.ftpseal
  ${If} $0 != 0
    StrCpy $sentence "$sentence The driver could not be removed: $1"
  ${EndIf}
  Push "tray --quit"
  Call un.ftpseal
  Call un.endPrograms
  Call un.closeFirewall
  DeleteRegValue HKLM "${RUN_KEY}" "ftpseal"
  RMDir /r "$SMPROGRAMS\ftpseal"
  SetOutPath "$TEMP"
  ClearErrors
  RMDir /r "$INSTDIR\dist"
  RMDir /r "$INSTDIR\node_modules"
  Delete "$INSTDIR\node.exe"
  Delete "$INSTDIR\package.json"
  Delete "$INSTDIR\ftpseal.cmd"
  Delete "$INSTDIR\ftpsealw.exe"
  Delete "$INSTDIR\ftpseal.ico"
  Delete "$INSTDIR\LICENSE.txt"
  Delete "$INSTDIR\THIRD-PARTY-LICENSES.txt"
  Delete "$INSTDIR\sbom.cdx.json"
  ${If} ${Errors}
    StrCpy $sentence "$sentence Not all files of $INSTDIR could be removed."
  ${EndIf}
  ; The driver's file stays locked until Windows starts again if another program uses it.
  RMDir /r /REBOOTOK "$INSTDIR\windivert"
  Delete /REBOOTOK "$INSTDIR\uninstall.exe"
  RMDir "$INSTDIR"
  RMDir /r "$APPDATA\ftpseal\run"
  Delete "$APPDATA\ftpseal\daemon.lock"
  ${If} $purge == 1
    RMDir /r "$APPDATA\ftpseal"
  ${EndIf}
  DeleteRegKey HKLM "${UNINSTALL_KEY}"
  ${If} $sentence != ""
    Call un.fail
  ${EndIf}
SectionEnd
