@"%~dp0node.exe" "%~dp0dist\daemon\main.js" %*
