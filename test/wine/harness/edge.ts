// Wine has no browser that could show the manager: a stand-in for Edge notes how it was called, and Chromium of this machine shows the
// pages, over connections that come out of a program of this Windows.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { chromium, type Browser } from 'playwright-core';
import { must } from '../../lab/harness/command.js';
import { textOf, type Wine } from './wine.js';

const source = `
#include <windows.h>
int WINAPI wWinMain(HINSTANCE a, HINSTANCE b, PWSTR arguments, int c) {
  HANDLE file = CreateFileW(L"C:\\\\edge.txt", FILE_APPEND_DATA, FILE_SHARE_READ, 0, OPEN_ALWAYS, 0, 0);
  DWORD done;
  WriteFile(file, arguments, 2 * lstrlenW(arguments), &done, 0);
  WriteFile(file, L"\\n", 2, &done, 0);
  CloseHandle(file);
  return 0;
}
`;

/** Installs it where Edge is. */
export async function placeEdge(wine: Wine): Promise<void> {
  const file = path.join(wine.folder, 'edge.c');
  writeFileSync(file, source);
  const folder = path.join(wine.driveC, 'Program Files (x86)', 'Microsoft', 'Edge', 'Application');
  mkdirSync(folder, { recursive: true });
  const options = ['-municode', '-mwindows', '-o', path.join(folder, 'msedge.exe'), file];
  await must({}, ['x86_64-w64-mingw32-gcc', ...options]);
}

/** The command lines that it was started with, one a line. */
export function edgeCalls(wine: Wine): string {
  return textOf(path.join(wine.driveC, 'edge.txt'), 'utf16le');
}

/** The page of the window that was opened first. */
export function firstWindow(wine: Wine): string {
  return /--app=(http:\/\/127\.0\.0\.1:\d+\/open\?token=[\w-]+)/.exec(edgeCalls(wine))?.[1] ?? '';
}

export async function browserInside(wine: Wine, patienceMs: number): Promise<Browser> {
  const relay = wine.start(wine.nodeArguments(wine.guestScript('browser-relay')));
  await relay.said(/port \d+\./, patienceMs);
  const port = /port (\d+)\./.exec(relay.stdout())?.[1] ?? '';
  return chromium.launch({
    executablePath: process.env['FTPSEAL_CHROMIUM'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox'],
    proxy: { server: `http://127.0.0.1:${port}`, bypass: '<-loopback>' },
  });
}
