import { parityTests } from "./suite.ts";

parityTests("losscone");
