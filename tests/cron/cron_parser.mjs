// Answers for npm's cron-parser what cron_fires answers for us, with fewer times where it gives up.
import { CronExpressionParser } from "cron-parser";
import { readFileSync } from "node:fs";

for (const line of readFileSync(0, "utf8").trimEnd().split("\n")) {
  const [expression, tz, start, count] = line.split("\t");
  const cron = CronExpressionParser.parse(expression, { tz, currentDate: new Date(start * 1000) });
  const fires = [];
  try {
    for (let i = 0; i < Number(count); i++) fires.push(cron.next().getTime() / 1000);
  } catch (error) {
    if (!error.message.includes("loop limit")) throw error;
  }
  console.log(fires.join(" "));
}
