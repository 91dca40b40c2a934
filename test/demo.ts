import { demonstrate } from "./support/demonstrate.js";

// `npm run demo -- 100000` makes as many.
const [count = "10000"] = process.argv.slice(2);
if (/^[1-9][0-9]{1,7}$/.test(count)) {
  process.exitCode = await demonstrate(Number(count), process.env, process.stdout);
} else {
  console.error("The demo takes a number of sessions, from 10 on.");
  process.exitCode = 2;
}
