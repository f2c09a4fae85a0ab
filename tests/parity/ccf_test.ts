import { parityTests } from "./suite.ts";

parityTests("ccf");
