import { parityTests } from "./suite.ts";

parityTests("resolution");
